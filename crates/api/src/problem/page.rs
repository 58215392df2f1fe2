use std::fmt::Write as _;

use super::REGISTRY;

/// The registry as `docs/errors.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# Errors\n\n\
         Every failure is an RFC 9457 document of type `application/problem+json` with `type`, `title`, `status`, `detail`, \
         `code`, `request_id` and, if parts of the request are invalid, `errors[]` with a JSON `pointer` into the body or \
         the name of the `parameter`. Branch on `code`; `detail` is for people and may change.\n\n\
         This page is generated from the registry in `crates/api/src/problem/codes`; \
         [CONTRIBUTING](../CONTRIBUTING.md#generated-pages) describes how to regenerate it.\n",
    );
    for chapter in REGISTRY {
        let _ =
            write!(page, "\n## {}\n\n| code | status | meaning | what to do |\n|---|---|---|---|\n", chapter.heading);
        for code in chapter.codes {
            let _ = writeln!(
                page,
                "| <a id=\"{0}\"></a>`{0}` | {1} | {2} | {3} |",
                code.code,
                code.status.as_u16(),
                code.title,
                code.remedy
            );
        }
    }
    page
}

/// The registry as the page to which a problem's `type` leads.
#[must_use]
pub fn html() -> String {
    let mut page = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>DevSkyy errors</title>\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <style>body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}\
         code{font-family:ui-monospace,monospace}dt{margin-top:1rem;font-weight:600}dt:target{background:#fe9}dd{margin:0}</style>\
         <h1>Errors</h1><p>Branch on <code>code</code>; <code>detail</code> is for people and may change.</p>",
    );
    for chapter in REGISTRY {
        let _ = write!(page, "<h2>{}</h2><dl>", chapter.heading);
        for code in chapter.codes {
            let _ = write!(
                page,
                "<dt id=\"{0}\"><code>{0}</code> ({1})</dt><dd>{2}. {3}</dd>",
                code.code,
                code.status.as_u16(),
                code.title,
                escaped(code.remedy)
            );
        }
        page.push_str("</dl>");
    }
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
