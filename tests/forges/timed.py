"""Runs the tests of this folder, several at a time since each waits for programs, and prints how long the slowest took."""
import concurrent.futures
import sys
import time
import unittest


def flat(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from flat(test)
        else:
            yield test


def one(test):
    result, start = unittest.TestResult(), time.monotonic()
    test(result)
    return test, result, time.monotonic() - start


if __name__ == "__main__":
    loader = unittest.TestLoader()
    tests = list(flat(loader.loadTestsFromNames(sys.argv[1:]) if sys.argv[1:] else loader.discover(".")))
    times, failed, skipped = [], 0, []
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for test, result, seconds in pool.map(one, tests):
            times.append((seconds, test.id()))
            skipped += result.skipped
            failed += not result.wasSuccessful()
            for _, trace in result.errors + result.failures:
                print(f"FAILED {test.id()}\n{trace}")
    for seconds, name in sorted(times, reverse=True)[:6]:
        print(f"{seconds:6.1f} s  {name}")
    for test, why in skipped:
        print(f"skipped  {test.id()}: {why}")
    print(f"{len(tests)} tests, {failed} failed")
    sys.exit(bool(failed or not tests))
