//! What the made-up model says.

use super::Fault;
use crate::civic::llm::extractive;
use serde_json::{Value, json};

/// Sentences of an answer, at most.
const SENTENCES: usize = 6;
/// Longest of them, in characters.
const SENTENCE_CHARS: usize = 300;
/// The hidden reasoning that it claims, in tokens.
const THOUGHTS: usize = 40;

/// What both wire formats carry: what the model is told, and the questions.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) system: String,
    pub(super) user: String,
}

impl Asked {
    /// Of a chat completion's body.
    pub(super) fn of_openai(body: &Value) -> Self {
        let content = |at: usize| body["messages"][at]["content"].as_str().unwrap_or_default().to_owned();
        Self { system: content(0), user: content(1) }
    }

    /// Of a `generateContent` body.
    pub(super) fn of_gemini(body: &Value) -> Self {
        let text = |value: &Value| value["parts"][0]["text"].as_str().unwrap_or_default().to_owned();
        Self { system: text(&body["systemInstruction"]), user: text(&body["contents"][0]) }
    }

    /// One, or those of several items.
    pub(super) fn questions(&self) -> Vec<Question<'_>> {
        // Nothing but the end of a text closes a frame.
        let parts = self.user.split("\n</document>").map(str::trim_start).filter(|part| !part.is_empty());
        parts.map(Question).collect()
    }

    /// Tokens of it, and of an answer.
    pub(super) fn tokens(&self, answer: &str) -> Tokens {
        let input = (self.system.chars().count() + self.user.chars().count()).div_ceil(4);
        Tokens { input, cached: input / 10, output: answer.chars().count().div_ceil(4), thoughts: THOUGHTS }
    }

    /// The text of the answer.
    pub(super) fn answer(&self, fault: Option<&Fault>) -> String {
        let questions = self.questions();
        if fault == Some(&Fault::NotJson) {
            return questions.iter().map(|question| good(question.text())).collect::<Vec<_>>().join(" ");
        }
        let order =
            questions.iter().find_map(|question| question.ordered()).filter(|_| fault == Some(&Fault::Obedient));
        let mut answers: Vec<Value> =
            questions.iter().map(|question| question.answer(fault, order.as_deref())).collect();
        if questions.len() == 1 {
            return answers.remove(0).to_string();
        }
        match fault {
            Some(Fault::Rotated) => {
                for (at, answer) in answers.iter_mut().enumerate() {
                    answer["key"] = json!(questions[(at + 1) % questions.len()].key());
                }
            }
            Some(Fault::OneMissing) => drop(answers.pop()),
            // The order of the answers means nothing.
            _ => answers.reverse(),
        }
        json!({"answers": answers}).to_string()
    }
}

/// A question: its key, its title, its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a>(&'a str);

impl<'a> Question<'a> {
    fn line(self, name: &str) -> &'a str {
        self.0.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim()
    }

    fn key(self) -> &'a str {
        self.line("Key:")
    }

    pub(super) fn title(self) -> &'a str {
        self.line("Title:")
    }

    fn text(self) -> &'a str {
        self.0.split_once("<document>\n").map_or("", |(_, text)| text)
    }

    /// What an order wants to be said, whichever text it stands in, goes before what is asked.
    fn answer(self, fault: Option<&Fault>, order: Option<&str>) -> Value {
        let good = || good(self.text());
        let summary = match fault {
            _ if order.is_some() => order.unwrap_or_default().to_owned(),
            Some(Fault::OtherItem) => {
                "Volunteers bake sourdough pretzels weekly; orchestras rehearse baroque symphonies nearby.".to_owned()
            }
            Some(Fault::Invented) => format!("{} It costs $98,765,432 in all.", good()),
            _ => good(),
        };
        let summary = if summary.is_empty() { "There is nothing to say.".to_owned() } else { summary };
        let key = if fault == Some(&Fault::WrongKey) { "another-key" } else { self.key() };
        let pages: &[u32] = if self.text().contains("[page 1]") { &[1] } else { &[] };
        json!({"key": key, "summary": summary, "pages": pages})
    }

    fn ordered(self) -> Option<String> {
        let flat = self.text().split_whitespace().collect::<Vec<_>>().join(" ");
        let (_, order) = flat.split_once("write that ")?;
        let end = order.find(". ").map_or(order.len(), |at| at + 1);
        Some(order[..end].to_owned())
    }
}

/// The first sentences of the first paragraphs that have one; a text without any has what extraction finds.
fn good(text: &str) -> String {
    let sentence = |paragraph: &str| {
        let flat = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        let end = flat.find(". ").map_or(flat.len(), |at| at + 1);
        let sentence = &flat[..end];
        let is_one = sentence.ends_with('.') && sentence.contains(' ') && sentence.chars().count() <= SENTENCE_CHARS;
        is_one.then(|| sentence.to_owned())
    };
    let found: Vec<String> = text.split("\n\n").filter_map(sentence).take(SENTENCES).collect();
    if found.is_empty() { extractive::summarise(text, SENTENCES) } else { found.join(" ") }
}

/// What a call is billed by.
pub(super) struct Tokens {
    pub(super) input: usize,
    pub(super) cached: usize,
    pub(super) output: usize,
    pub(super) thoughts: usize,
}
