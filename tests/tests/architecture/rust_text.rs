//! Just enough parsing of Rust for the rules: what is code, what is in comments and strings, and where an item ends.
//! The code is formatted by rustfmt, so an item ends at the first `}` of its own indentation.

/// The code alone: comments, strings and characters are blanked, line numbers stay.
pub(crate) fn code(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let end = skipped(&characters, at);
        if end == at {
            out.push(characters[at]);
            at += 1;
        } else {
            out.extend(characters[at..end].iter().map(|character| if *character == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// The product's code: without modules and items that only tests compile.
pub(crate) fn product_code(text: &str) -> String {
    let code = code(text);
    let lines: Vec<&str> = code.lines().collect();
    let mut kept = Vec::with_capacity(lines.len());
    let mut at = 0;
    while at < lines.len() {
        if lines[at].trim() == "#[cfg(test)]" {
            let end = item_end(&lines, at + 1);
            kept.resize(end + 1, "");
            at = end + 1;
        } else {
            kept.push(lines[at]);
            at += 1;
        }
    }
    kept.join("\n")
}

/// Index of the last line of the item that starts at `start`.
pub(crate) fn item_end(lines: &[&str], start: usize) -> usize {
    let Some(first) = lines.get(start) else { return start };
    let indent = first.len() - first.trim_start().len();
    let closing = format!("{}}}", " ".repeat(indent));
    for (offset, line) in lines[start..].iter().enumerate() {
        let ends_here = line.trim_end().ends_with(';') && line.len() - line.trim_start().len() == indent;
        let one_line = offset == 0 && line.contains('{') && line.trim_end().ends_with('}');
        if *line == closing || ends_here || one_line {
            return start + offset;
        }
    }
    lines.len().saturating_sub(1)
}

/// Names after a path root such as `crate::`, also in groups: `crate::{es::X, runs::Y}` gives `es` and `runs`.
pub(crate) fn names_after(code: &str, root: &str) -> Vec<(usize, String)> {
    let mut names = Vec::new();
    for (start, _) in code.match_indices(root) {
        let preceded = code[..start].chars().next_back().is_some_and(|before| is_word(before) || before == ':');
        if preceded {
            continue;
        }
        let line = code[..start].matches('\n').count() + 1;
        let rest = &code[start + root.len()..];
        if rest.starts_with('{') {
            names.extend(group_heads(rest).into_iter().map(|name| (line, name)));
        } else {
            names.push((line, path_head(rest)));
        }
    }
    names
}

/// The contents of every plain string literal in a text.
pub(crate) fn strings(text: &str) -> Vec<String> {
    text.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn group_heads(rest: &str) -> Vec<String> {
    let (mut depth, mut expects_head) = (0_usize, false);
    let mut heads = Vec::new();
    for (at, character) in rest.char_indices() {
        match character {
            '{' => {
                depth += 1;
                expects_head = depth == 1;
            }
            '}' => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            ',' if depth == 1 => expects_head = true,
            other if expects_head && is_word(other) => {
                heads.push(path_head(&rest[at..]));
                expects_head = false;
            }
            _ => {}
        }
    }
    heads
}

/// The leading `name` or `name::inner` of a path.
fn path_head(rest: &str) -> String {
    let path: String = rest.chars().take_while(|character| is_word(*character) || *character == ':').collect();
    path.split("::").filter(|segment| !segment.is_empty()).take(2).collect::<Vec<_>>().join("::")
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// End of the comment, string or character that starts at `at`; `at` itself if none does.
fn skipped(text: &[char], at: usize) -> usize {
    match (text[at], text.get(at + 1)) {
        ('/', Some('/')) => line_end(text, at),
        ('/', Some('*')) => block_end(text, at),
        ('"', _) => string_end(text, at + 1),
        ('r', Some('"' | '#')) if at == 0 || !is_word(text[at - 1]) || text[at - 1] == 'b' => raw_string_end(text, at),
        ('\'', Some('\\')) => find(text, at + 3, '\''),
        ('\'', Some(_)) if text.get(at + 2) == Some(&'\'') => at + 3,
        _ => at,
    }
}

fn line_end(text: &[char], at: usize) -> usize {
    (at..text.len()).find(|index| text[*index] == '\n').unwrap_or(text.len())
}

fn block_end(text: &[char], at: usize) -> usize {
    (at + 2..text.len()).find(|end| text[end - 2..*end] == ['*', '/'] && *end > at + 3).unwrap_or(text.len())
}

fn find(text: &[char], from: usize, wanted: char) -> usize {
    (from..text.len()).find(|index| text[*index] == wanted).map_or(text.len(), |index| index + 1)
}

fn string_end(text: &[char], mut at: usize) -> usize {
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn raw_string_end(text: &[char], at: usize) -> usize {
    let hashes = text[at + 1..].iter().take_while(|character| **character == '#').count();
    if text.get(at + 1 + hashes) != Some(&'"') {
        return at;
    }
    let body = at + 2 + hashes;
    let closes = |index: &usize| {
        text[*index] == '"' && text[index + 1..].iter().take_while(|character| **character == '#').count() >= hashes
    };
    (body..text.len()).find(closes).map_or(text.len(), |index| index + 1 + hashes)
}

#[cfg(test)]
mod tests {
    use super::{code, names_after, product_code};

    #[test]
    fn comments_strings_and_characters_are_not_code() {
        let text = "let a = \"x // \\\" y\"; // why\nlet b = r#\"un\"wrap\"#; let c = '\"'; /* z */ let d: &'a str;\n";
        let code = code(text);
        let rest: String = code.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(rest, "let a = ; let b = ; let c = ; let d: &'a str;");
        assert_eq!(code.lines().count(), 2);
    }

    #[test]
    fn what_only_tests_compile_is_not_product_code() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\n#[cfg(test)]\nmod more;\nfn c() {}";
        let kept = product_code(text);
        assert!(kept.contains("fn a") && kept.contains("fn c") && !kept.contains("fn b") && !kept.contains("more"));
        assert_eq!(kept.lines().count(), text.lines().count());
    }

    #[test]
    fn names_in_grouped_imports_are_found() {
        let names =
            names_after("use crate::{\n    es::{A, B},\n    runs::X,\n};\nlet a = crate::agents::Y;", "crate::");
        assert_eq!(names, [(1, "es".to_owned()), (1, "runs::X".to_owned()), (5, "agents::Y".to_owned())],);
    }
}
