//! A program of others that never outlives the tests, however they end.
//!
//! It runs below a shell that waits for the end of its standard input. The other end of that pipe is ours alone: when this
//! process returns, panics, is interrupted or killed, the system closes it, and the shell kills the program.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

/// `$1`: what to remove in the end; `$2`: where the program's output goes; then the program. Each line of the input is
/// a signal for it, and is answered with a line once it has arrived: a program that is to stop has many threads, and on
/// a busy machine the last of them stands still a good while after the first.
const HOLD: &str = r#"
remove=$1 log=$2
shift 2
"$@" >>"$log" 2>&1 &
pid=$!
trap 'kill -KILL $pid; wait $pid; [ -z "$remove" ] || rm -rf "$remove"' EXIT
trap 'exit 0' HUP INT TERM
while read -r signal; do
  kill -s "$signal" $pid
  if [ "$signal" = STOP ]; then
    while grep -hs '^State:' /proc/$pid/task/*/status | grep -qv '[[:space:]]T '; do sleep 0.01; done
  fi
  echo "$signal"
done
"#;

/// A running program.
pub struct Process {
    child: Child,
    answers: BufReader<ChildStdout>,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `command`, whose output goes to a file of `folder`. If the folder is its own, it goes with the program.
    pub fn start(name: &str, folder: &Path, owns: bool, command: &[String]) -> Process {
        let log = folder.join(format!("{name}.log"));
        let mut child = Command::new("sh")
            .args(["-c", HOLD, name])
            .arg(if owns { folder } else { Path::new("") })
            .arg(&log)
            .args(command)
            // An interrupt at the terminal is for the tests; the programs follow once those are gone.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh can be started");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        Process { child, answers, name: name.to_owned(), log }
    }

    /// Sends a signal by its name, `STOP`, `CONT` or `TERM`, and waits until it has arrived.
    pub fn signal(&mut self, signal: &str) {
        let input = self.child.stdin.as_mut().expect("the pipe is ours");
        writeln!(input, "{signal}").expect("the shell reads");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the shell answers");
        assert_eq!(answer.trim_end(), signal);
    }

    /// The end of what the program has said.
    pub fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        format!("{}:\n{}\n", self.name, lines[lines.len().saturating_sub(30)..].join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        // It ends within the blink of a SIGKILL; then its folder and its ports are free.
        let _ = self.child.wait();
    }
}
