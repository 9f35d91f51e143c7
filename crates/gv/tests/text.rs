//! The text format against the C tool's answers, stored by `fixtures/make_text_baseline.sh`.

use osier_gv::{Value, text};

/// One case of the baseline: text, then printed, printed byteswapped; or the error.
struct Case<'a> {
    text: &'a str,
    answer: Result<(&'a str, &'a str), &'a str>,
}

fn cases(baseline: &str) -> Vec<Case<'_>> {
    let mut out = Vec::new();
    let mut lines = baseline.lines().filter(|line| !line.starts_with('#'));
    while let Some(line) = lines.next() {
        let text = line.strip_prefix("> ").expect("a case starts with '> '");
        let first = lines.next().expect("a case has an answer");
        let answer = match first.strip_prefix("= ") {
            Some(printed) => {
                let swapped = lines.next().and_then(|line| line.strip_prefix("~ "));
                Ok((printed, swapped.expect("a byteswapped answer")))
            }
            None => {
                let prefix = format!("! error: Parsing k={text}: ");
                Err(first.strip_prefix(&prefix).expect("an error"))
            }
        };
        out.push(Case { text, answer });
    }
    out
}

#[test]
fn answers_as_the_c_tool() {
    let baseline = include_str!("fixtures/text_baseline.txt");
    let cases = cases(baseline);
    assert!(cases.len() > 400, "the baseline is missing");
    let mut wrong = Vec::new();
    for case in cases {
        let parsed = text::parse(case.text, None);
        let (ours, swapped) = match &parsed {
            Ok(value) => (
                Ok(text::print(value, true)),
                text::print(&value.byteswapped(), true),
            ),
            Err(error) => (Err(error.to_string()), String::new()),
        };
        let same = match (&ours, case.answer) {
            (Ok(ours), Ok((theirs, theirs_swapped))) => ours == theirs && swapped == theirs_swapped,
            (Err(ours), Err(theirs)) => ours == theirs,
            _ => false,
        };
        if !same {
            wrong.push(format!(
                "{}\n  ours {ours:?}\n  C    {:?}",
                case.text, case.answer
            ));
        }
        // Whatever was read goes through bytes and through text unchanged.
        if let Ok(value) = parsed {
            let read = Value::decode(&value.ty(), &value.encode()).unwrap();
            assert_eq!(read.encode(), value.encode(), "{}", case.text);
            match text::parse(&text::print(&value, true), None) {
                Ok(again) => assert_eq!(again.encode(), value.encode(), "{}", case.text),
                // GLib cannot read the subnormal doubles that it prints.
                Err(_) => assert!(case.text.contains("p-1074"), "{}", case.text),
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
