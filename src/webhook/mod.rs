//! The webhook's answers: what the API server asks in, what it is told out. Pure: the server around it is in `server/`.

pub mod answer;
pub mod labels;
mod slim;
pub mod view;

pub use answer::{Answer, Verdict, mutate, validate};
pub use view::View;
