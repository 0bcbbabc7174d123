//! Column lines of 9.21 to 9.40 whose ends have not come: a start is printed without a newline, and whatever is
//! printed next stands behind it. The scheduler prints its tasks so in every version.

use super::columns;

/// Unfinished lines of one stream that are remembered: workers that share one are few.
const OPEN_MAX: usize = 16;

/// One of them.
#[derive(Debug)]
struct Open {
    /// The class, where a seam showed it.
    class: Option<String>,
    is_task: bool,
}

/// The unfinished lines of a stream, the newest last.
#[derive(Debug, Default)]
pub(super) struct Unfinished(Vec<Open>);

impl Unfinished {
    /// A line begins: what stands behind its time, and the class if it is known.
    pub(super) fn begin(&mut self, text: &str, class: Option<&str>) {
        if self.0.len() >= OPEN_MAX {
            self.0.remove(0);
        }
        self.0.push(Open { class: class.map(str::to_owned), is_task: columns::is_task(text) });
    }

    /// A line ends without a name: the class of the job that it is about, where that is known; `None` where it is no
    /// job's. Jobs within jobs end inside out, so the newest is meant. Without a beginning only dots mark the line;
    /// otherwise it is anyone's text.
    pub(super) fn end(&mut self, has_dots: bool) -> Option<Option<String>> {
        match self.0.pop() {
            Some(open) if open.is_task => None,
            Some(open) => Some(open.class),
            None => has_dots.then_some(None),
        }
    }
}
