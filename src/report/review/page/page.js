{{ csp }}{{ title }}{{ style }}{{ script }}{{ data }}{{ summary }}
