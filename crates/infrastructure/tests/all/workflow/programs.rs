use devskyy_application::workflow::Expressions as _;

use super::{EXPRESSIONS, json};

async fn outcome(program: &str, input: &str) -> Result<String, String> {
    let result = EXPRESSIONS.evaluate(program, &json(input)).await.map_err(|error| error.message)?;
    Ok(serde_json::to_string(&result).expect("JSON"))
}

async fn result(program: &str, input: &str) -> String {
    outcome(program, input).await.unwrap_or_else(|error| panic!("{program}: {error}"))
}

async fn stopped(program: &str) -> String {
    let error = outcome(program, "null").await.expect_err(program);
    error.strip_prefix("the program was stopped: ").unwrap_or_else(|| panic!("{program}: {error}")).to_owned()
}

/// Programs with their input and their result, from the jq manual.
#[tokio::test]
async fn programs_give_what_the_manual_says() {
    for (program, input, expected) in [
        (".", "{\"b\":1,\"a\":[null,true,\"x\"]}", "{\"a\":[null,true,\"x\"],\"b\":1}"),
        (".foo.bar", "{\"foo\":{\"bar\":42}}", "42"),
        (".foo", "{}", "null"),
        ("[.[]?]", "5", "[]"),
        (".[2:4]", "[\"a\",\"b\",\"c\",\"d\",\"e\"]", "[\"c\",\"d\"]"),
        (".[-2:]", "[\"a\",\"b\",\"c\"]", "[\"b\",\"c\"]"),
        (".[:-1]", "\"äbc\"", "\"äb\""),
        (".[-1]", "[1,2,3]", "3"),
        ("[.[] | select(. > 1)] | length", "[1,2,3]", "2"),
        ("{(.a): .b, c}", "{\"a\":\"x\",\"b\":1,\"c\":2}", "{\"c\":2,\"x\":1}"),
        ("10 / 4", "null", "2.5"),
        ("6 / 3", "null", "2"),
        ("7 % 3", "null", "1"),
        ("{a:1} + {b:2} + {a:3}", "null", "{\"a\":3,\"b\":2}"),
        ("{k:{a:1,b:2}} * {k:{a:0,c:3}}", "null", "{\"k\":{\"a\":0,\"b\":2,\"c\":3}}"),
        ("\"x\" * 3", "null", "\"xxx\""),
        ("\"a,b\" / \",\"", "null", "[\"a\",\"b\"]"),
        ("[1,2,2,3] - [2]", "null", "[1,3]"),
        ("keys", "{\"b\":1,\"a\":2}", "[\"a\",\"b\"]"),
        ("map(has(\"a\"))", "[{\"a\":1},{}]", "[true,false]"),
        ("to_entries", "{\"a\":1}", "[{\"key\":\"a\",\"value\":1}]"),
        ("with_entries(.value += 1)", "{\"a\":1}", "{\"a\":2}"),
        (
            "group_by(.n) | map({n: .[0].n, v: map(.v) | sort})",
            "[{\"n\":\"b\",\"v\":2},{\"n\":\"a\",\"v\":1},{\"n\":\"b\",\"v\":1}]",
            "[{\"n\":\"a\",\"v\":[1]},{\"n\":\"b\",\"v\":[1,2]}]",
        ),
        ("unique_by(length)", "[\"a\",\"bb\",\"c\"]", "[\"a\",\"bb\"]"),
        ("sort_by(-.)", "[1,3,2]", "[3,2,1]"),
        ("reduce .[] as $x (0; . + $x)", "[1,2,3]", "6"),
        ("[foreach .[] as $x (0; . + $x; [$x, .])]", "[1,2]", "[[1,1],[2,3]]"),
        (".a.b = 1", "null", "{\"a\":{\"b\":1}}"),
        (".[2] = 1", "[]", "[null,null,1]"),
        ("del(.[1])", "[1,2,3]", "[1,3]"),
        ("del(.a)", "{\"a\":1,\"b\":2}", "{\"b\":2}"),
        ("map_values(. + 1)", "{\"a\":1}", "{\"a\":2}"),
        ("walk(if type == \"number\" then . + 1 else . end)", "[1,[2]]", "[2,[3]]"),
        (".[1:] = [9]", "[1,2,3]", "[1,9]"),
        ("[paths]", "{\"a\":[1]}", "[[\"a\"],[\"a\",0]]"),
        ("getpath([\"a\",0])", "{\"a\":[7]}", "7"),
        ("[limit(3; range(10))]", "null", "[0,1,2]"),
        ("[.[] | tostring]", "[1,\"a\",[2],null,1.5]", "[\"1\",\"a\",\"[2]\",\"null\",\"1.5\"]"),
        ("\"\\(1 + 2) of \\(.)\"", "{\"a\":1}", "\"3 of {\\\"a\\\":1}\""),
        ("fromjson", "\"[1,{\\\"a\\\":2}]\"", "[1,{\"a\":2}]"),
        ("tojson", "{\"a\":\"\\u0001\\\"\"}", "\"{\\\"a\\\":\\\"\\\\u0001\\\\\\\"\\\"}\""),
        ("test(\"^a.c$\")", "\"abc\"", "true"),
        ("[match(\"a\"; \"g\").offset]", "\"xaya\"", "[1,3]"),
        ("capture(\"(?<y>[0-9]+)-(?<m>[0-9]+)\")", "\"2024-05\"", "{\"m\":\"05\",\"y\":\"2024\"}"),
        ("gsub(\"(?<c>[a-z])\"; .c + .c)", "\"a1b\"", "\"aa1bb\""),
        ("[splits(\", *\")]", "\"a, b,c\"", "[\"a\",\"b\",\"c\"]"),
        ("ascii_downcase", "\"ABC\"", "\"abc\""),
        ("ltrimstr(\"a\") | rtrimstr(\"c\")", "\"abc\"", "\"b\""),
        ("join(\"-\")", "[\"a\",1,null]", "\"a-1-null\""),
        ("indices(\"ab\")", "\"abab\"", "[0,2]"),
        ("index(\",\")", "\"a,b\"", "1"),
        ("inside(\"foobar\")", "\"bar\"", "true"),
        ("contains({a:[1]})", "{\"a\":[1,2]}", "true"),
        (
            "[.[] | type]",
            "[null,true,1,\"\",[],{}]",
            "[\"null\",\"boolean\",\"number\",\"string\",\"array\",\"object\"]",
        ),
        ("try error(\"x\") catch .", "null", "\"x\""),
        (".a // \"none\"", "{}", "\"none\""),
        ("if . then 1 else 2 end", "false", "2"),
        ("[recurse(if . < 3 then . + 1 else empty end)]", "1", "[1,2,3]"),
        ("[.. | numbers]", "[1,[2]]", "[1,2]"),
        ("@base64 | ., @base64d | select(. == \"hi\")", "\"hi\"", "\"hi\""),
        ("@uri", "\"a b/ü\"", "\"a%20b%2F%C3%BC\""),
        ("@csv", "[1,\"a\\\"b\",null]", "\"1,\\\"a\\\"\\\"b\\\",\""),
        ("add / length | floor", "[1,2,6]", "3"),
        ("min_by(.a).a, 0 | select(. == 0)", "[{\"a\":1}]", "0"),
        ("def f($n): if $n <= 1 then 1 else $n * f($n - 1) end; f(20)", "null", "2432902008176640000"),
        ("\"2015-03-05T23:51:47Z\" | fromdateiso8601", "null", "1425599507"),
        ("any(.[]; . > 2), 1 | select(. == true)", "[1,3]", "true"),
        ("first(range(5;9))", "null", "5"),
        ("[1,[2,[3]]] | flatten", "null", "[1,2,3]"),
    ] {
        assert_eq!(result(program, input).await, expected, "{program}");
    }
}

#[tokio::test]
async fn whole_numbers_stay_exact_to_64_bits() {
    for number in ["9007199254740993", "-9223372036854775808", "18446744073709551615"] {
        assert_eq!(result("[.][0] + 0", number).await, number);
    }
    assert_eq!(result("9223372036854775807 + 1", "null").await, "9223372036854775808");
}

#[tokio::test]
async fn programs_without_an_end_are_stopped() {
    for program in ["def f: f; f", "last(repeat(.))", "[repeat(1)]", "until(false; .)", "last(range(0; 1e18))"] {
        let reason = stopped(program).await;
        assert!(
            ["it takes too many steps", "it takes too long", "it holds too much data"].contains(&reason.as_str()),
            "{program}: {reason}"
        );
    }
}

#[tokio::test]
async fn programs_that_gather_without_bound_are_stopped() {
    for program in [
        "[limit(1000000000; range(1000000000))]",
        "\"x\" * 1000000000000",
        "reduce range(60) as $i (\"x\"; . + .)",
        "reduce range(60) as $i ([1]; . + .)",
        "reduce range(60) as $i (\"\\\"\"; tojson)",
        ".[1000000000] = 1",
        "reduce range(100000000) as $i ([]; . + [$i])",
        "[range(100000)] | combinations(9)",
        "[range(1e7)] | map([.]) | map([.])",
    ] {
        let reason = stopped(program).await;
        assert!(reason.starts_with("it "), "{program}: {reason}");
    }
}

#[tokio::test]
async fn recursion_ends_before_the_stack_does() {
    for program in [
        "def f: 1 + f; f",
        "def f: [f]; f",
        "def f: (f, 1); f",
        "def f: f | .; f",
        "def f: try f catch 1; f",
        "def f: reduce f as $x (0; .); f",
        "def f: {a: f}; f",
        "def f: (1 | f), (2 | f); f",
        "reduce range(100000) as $i (0; [.])",
        "reduce range(100000) as $i (0; {a: .})",
        "null | [path(repeat(.a))]",
        "null | last(path(repeat(.a)))",
        "[] | last(path(repeat(.[0:])))",
        "def f: .[0] |= f; f",
        "[limit(1000000; def f: (., f) | . + 0; 1 | f)] | length",
        "[limit(5000000; def f($x): ($x | ., f($x)); f(1))]",
        "def f($x): $x, f($x + 1); [f(0)]",
        "def f: def g: f; [g]; f",
        "def r: def g(x): x; g(r); [r]",
        "def r: def g(x): 1 + x; g(r); r",
    ] {
        let reason = stopped(program).await;
        assert!(reason.starts_with("it"), "{program}: {reason}");
    }
}

#[tokio::test]
async fn recursion_through_filter_arguments_is_refused_when_checked() {
    let error = EXPRESSIONS.check_program("def f(g): f(1 | g); f(.)").await.expect_err("refused");
    assert!(error.message.starts_with("line 1, column 11: `f` calls itself"), "{}", error.message);
}

#[tokio::test]
async fn deeply_nested_programs_are_answered() {
    for program in [
        "(".repeat(8_000),
        "[".repeat(4_000) + &"]".repeat(4_000),
        "-".repeat(8_000) + "1",
        ".|".repeat(4_000) + ".",
        "1+".repeat(4_000) + "1",
        "def f: ".repeat(1_000),
        "\"\\(".repeat(2_600),
        "try ".repeat(2_000) + ".",
        ".[0]".repeat(2_000),
        ". as $x|".repeat(1_000) + ".",
        "if . then ".repeat(800),
    ] {
        let _ = outcome(&program, "null").await;
    }
}

#[tokio::test]
async fn the_machine_and_the_time_are_out_of_reach() {
    for program in [
        "now",
        "env",
        "$ENV",
        "env.PATH",
        "input",
        "[inputs]",
        "debug",
        "stderr",
        "halt",
        "halt_error",
        "halt(1)",
        "localtime",
        "strflocaltime(\"%Z\")",
        "include \"a\"; .",
        "import \"a\" as a; .",
        "$__prog_args",
        "input_filename",
        "get_search_list",
        "getpath(env)",
        "modulemeta",
        "strptime(\"%Q\")",
        "system(\"ls\")",
        "tobytes",
    ] {
        assert!(EXPRESSIONS.check_program(program).await.is_err(), "{program}");
        assert!(outcome(program, "null").await.is_err(), "{program}");
    }
}

#[tokio::test]
async fn mistakes_are_told_with_their_place() {
    for (program, expected) in [
        ("", "line 1, column 1: expected term, found the end"),
        (".a |\n  foo", "line 2, column 3: there is no filter `foo/0` here"),
        ("$x", "line 1, column 1: there is no variable `$x` here"),
        ("[1", "line 1, column 3: expected closing bracket"),
        ("include \"a\"; .", "line 1, column"),
    ] {
        let error = EXPRESSIONS.check_program(program).await.expect_err(program);
        assert!(error.message.starts_with(expected), "{program}: {}", error.message);
    }
}

#[tokio::test]
async fn exactly_one_result_is_expected() {
    assert_eq!(outcome("empty", "1").await, Err("the program gives no result; exactly one is expected".to_owned()));
    assert_eq!(outcome(".,.", "1").await, Err("the program gives several results; exactly one is expected".to_owned()));
}

#[tokio::test]
async fn errors_show_an_excerpt_of_the_data_only() {
    let error = outcome(".[0] | .a", &format!("[\"{}\"]", "x".repeat(100_000))).await.expect_err("an error");
    assert!(error.starts_with("cannot index xxx") && error.len() < 600, "{error}");
}

#[tokio::test]
async fn results_that_json_cannot_hold_are_refused() {
    assert!(outcome("infinite", "null").await.is_err());
    assert!(outcome("nan", "null").await.is_err());
    assert!(outcome("reduce range(100) as $i (0; [.])", "null").await.is_err(), "too deep");
    assert!(outcome("\"x\" * 3000000", "null").await.is_err(), "too large");
}

#[tokio::test]
async fn regular_expressions_take_linear_time() {
    let subject = format!("\"{}b\"", "a".repeat(50_000));
    assert_eq!(result("test(\"^(a+)+$\")", &subject).await, "false");
    assert!(outcome("test(\"((a{1,100}){1,100}){1,100}\")", "\"a\"").await.is_err(), "too large");
    assert!(outcome("test(\"(?=a)\")", "\"a\"").await.is_err(), "look-around needs backtracking");
}

#[tokio::test]
async fn a_long_document_is_worked_through() {
    let packages: Vec<_> = (0..2_000).map(|n| format!("{{\"name\":\"p{}\",\"version\":\"{n}\"}}", n % 700)).collect();
    let program = "group_by(.name) | map({name: .[0].name, versions: map(.version) | unique}) | map(select(.versions | length > 1)) | length";
    assert_eq!(result(program, &format!("[{}]", packages.join(","))).await, "700");
}

/// Programs of one project do not make those of another fail.
#[tokio::test]
async fn however_many_evaluations_are_asked_for_at_once_each_has_its_turn() {
    let input = json("1");
    let asked = (0..2_000).map(|_| EXPRESSIONS.evaluate(". + 1", &input));
    let answered = futures_util::future::join_all(asked).await;
    assert!(answered.into_iter().all(|outcome| outcome == Ok(json("2"))));
}
