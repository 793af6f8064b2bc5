//! The table of builtin functions: complete, documented, with examples that hold, and safe with any arguments.

#![expect(clippy::unwrap_used, reason = "what tests are helped by may fail as they may")]

use std::collections::BTreeSet;
use std::sync::Arc;

use rulemill::ctx::Ctx;
use rulemill::eval::{self, Verdict};
use rulemill::func::{self, Builtin, Kinds, Profiles};
use rulemill::profile::Profile;
use rulemill::program::Program;
use rulemill::schema::Kind;
use rulemill::text::Source;
use rulemill::value::encode::to_display;
use rulemill::value::{Bytes, Map, Value, compare};

/// Names and arities that a profile's rules can call: one `name/arity` a line.
fn exported(profile: Profile) -> BTreeSet<(String, usize)> {
    let text = match profile {
        Profile::V5_8 => include_str!("data/functions-5.8.txt"),
        Profile::V4_3 => include_str!("data/functions-4.3.txt"),
    };
    let parse = |line: &str| {
        let (name, arity) = line.rsplit_once('/').unwrap();
        (name.to_owned(), arity.parse().unwrap())
    };
    text.lines().map(parse).collect()
}

fn rows(profile: Profile) -> impl Iterator<Item = &'static Builtin> {
    func::table::all().filter(move |row| row.profiles.has(profile))
}

#[test]
fn every_exported_function_has_one_row() {
    for profile in Profile::ALL {
        let mut seen = BTreeSet::new();
        for row in rows(profile) {
            assert!(
                seen.insert((row.name.to_owned(), row.params.len())),
                "{row:?} stands twice under {profile}"
            );
        }
        // EMQX has no export for sprintf: it catches the name.
        let mut wanted = exported(profile);
        wanted.extend([("sprintf".to_owned(), 1), ("sprintf".to_owned(), 2)]);
        // Nor for the schema registry's: it asks another module for names that it does not know.
        if profile == Profile::V5_8 {
            let two_or_three = ["schema_encode", "schema_decode", "schema_check"];
            wanted.extend(two_or_three.into_iter().flat_map(|name| [2, 3].map(|n| (name.to_owned(), n))));
            let one_or_two = ["sparkplug_encode", "sparkplug_decode", "spb_encode", "spb_decode"];
            wanted.extend(one_or_two.into_iter().flat_map(|name| [1, 2].map(|n| (name.to_owned(), n))));
        }
        assert_eq!(seen, wanted, "under {profile}");
    }
}

#[test]
fn rows_are_found_by_name_arity_and_profile() {
    for profile in Profile::ALL {
        for row in rows(profile) {
            let found = func::find(row.name, row.params.len(), profile).unwrap();
            assert!(std::ptr::eq(found, row), "{row:?} is hidden by {found:?}");
        }
    }
    assert!(func::find("sprintf", 7, Profile::V4_3).is_some());
    assert!(func::find("sprintf", 0, Profile::V5_8).is_none());
    assert!(func::find("uuid_v4", 0, Profile::V4_3).is_none());
    assert!(func::find("abs", 2, Profile::V5_8).is_none());
    assert!(func::find("Abs", 1, Profile::V5_8).is_none());
    assert_eq!(func::named("pad").count(), 3);
    assert_eq!(func::named("nope").count(), 0);
}

#[test]
fn rows_are_documented() {
    for row in func::table::all() {
        assert!(row.doc.ends_with(['.', '?']) && row.doc.len() > 10, "{row:?}: {:?}", row.doc);
        assert!(!row.doc.contains("  "), "{row:?}: {:?}", row.doc);
        assert!(!row.family.is_empty());
        let names: BTreeSet<_> = row.params.iter().map(|param| param.name).collect();
        assert_eq!(names.len(), row.params.len(), "{row:?}: a parameter name stands twice");
        assert!(row.examples.iter().any(|example| example.gives.is_ok()), "{row:?} has no example");
        let refuses = row.params.iter().any(|param| param.kinds != Kinds::ANY);
        assert!(
            !refuses || row.examples.iter().any(|e| e.gives.is_err()),
            "{row:?} has no example of a failure"
        );
        for example in row.examples {
            let called = example.sql.contains(&format!("{}(", row.name))
                || example.sql.contains(&format!(" {} ", row.name));
            assert!(called, "{row:?} is not called in {}", example.sql);
        }
    }
    let abs = func::find("abs", 1, Profile::V5_8).unwrap();
    assert_eq!(abs.signature(), "abs(x: an integer) -> an integer");
    let sprintf = func::find("sprintf", 3, Profile::V5_8).unwrap();
    assert_eq!(sprintf.signature(), "sprintf(format: a string, arguments: any value, …) -> a string");
}

fn world() -> Ctx {
    let mut ctx = Ctx::frozen(1_651_744_800_123_456_789, 7);
    let source = Source::new("reading", func::schema::EXAMPLE);
    let notes = Arc::make_mut(&mut ctx.schemas).add("reading", Kind::Json, &source).unwrap();
    assert!(notes.is_empty());
    ctx
}

/// The value of an expression as JSON, or what is wrong with it.
fn evaluate(sql: &str, profile: Profile) -> Result<String, String> {
    let source = Source::new("example", format!("SELECT {sql} as r FROM \"t\""));
    let all = |problems: Vec<rulemill::diag::Diagnostic>| {
        problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; ")
    };
    let program = Program::compile(&source, profile).map_err(all)?;
    match eval::run(&program, &Map::new(), &mut world()).map_err(|e| e.diagnostic.message)? {
        Verdict::Outputs(outputs) => {
            let output = outputs.get(0).ok_or("no output")?;
            Ok(to_display(output.get_str(b"r").unwrap_or(&Value::Undefined)))
        }
        Verdict::NoMatch => Err("no match".to_owned()),
    }
}

#[test]
fn examples_hold() {
    let mut wrong = Vec::new();
    for row in func::table::all() {
        for (profile, example) in
            Profile::ALL.into_iter().flat_map(|p| row.examples.iter().map(move |e| (p, e)))
        {
            let built = rulemill::schema::BUILT || row.family != "schema";
            if !row.profiles.has(profile) || !built {
                continue;
            }
            let given = evaluate(example.sql, profile);
            let holds = match (&example.gives, &given) {
                (Ok(wanted), Ok(given)) => wanted == given,
                (Err(part), Err(given)) => given.contains(part),
                _ => false,
            };
            if !holds {
                wrong.push(format!("{profile}: {} gives {given:?}, not {:?}", example.sql, example.gives));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

mod any_arguments {
    use super::*;
    use proptest::prelude::*;
    use rulemill::func::Call;
    use rulemill::value::{BigInt, Bits};

    /// Texts that some function or other reads.
    #[rustfmt::skip]
    const KNOWN: &[&str] = &[
        "", "a", "abc", "a.b.c", "é", "e\u{301}", "👨\u{200d}👩", "\r\n", " x ", "second", "millisecond",
        "nanosecond", "local", "Z", "+08:00", "-0530", "%Y-%m-%dT%H:%M:%S.%3N%:z",
        "2022-05-05T10:00:00.123+08:00", "2022-05-05 10:00:00", "0x1F", "12", "-7", "1.5", "1e3",
        "1.0e400", "true", "null", "{\"a\":{\"b\":1}}", "[1,2]", "YWJj", "YQ==", "deadbeef",
        "~p ~w ~s ~5.3.0b~n", "~*.*f", "~99999999999s", "(a|b)*c", "(?<=a)\\w+", "[[:alpha:]]+", "\\", "(",
        "&\\1\\g{2}", "integer", "float", "bits", "signed", "little", "big", "leading", "trailing", "both",
        "notrim", "all", "nocrlf", "md5", "sha3_256", "blake2b", "\\x41\\n", "t/1/2", "t/#", ".a", ".",
    ];

    fn text() -> impl Strategy<Value = Value> {
        prop_oneof![
            8 => prop::sample::select(KNOWN).prop_map(Value::str),
            2 => "\\PC{0,20}".prop_map(Value::from),
            1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::bytes),
            1 => (1usize..300).prop_map(|n| Value::from("aé\u{301}\r\n ".repeat(n))),
        ]
    }

    /// Integers at which something changes.
    #[rustfmt::skip]
    const EDGES: &[i64] = &[
        0, 1, -1, 2, 8, 100, 255, 256, 1 << 31, 1 << 53, 1 << 59, i64::MAX, i64::MIN, -(1 << 59), 1_651_744_800,
    ];

    fn number() -> impl Strategy<Value = Value> {
        prop_oneof![
            4 => prop::sample::select(EDGES).prop_map(Value::Int),
            3 => (-20i64..20).prop_map(Value::Int),
            1 => (any::<i64>(), 1u32..400).prop_map(|(n, shift)| Value::integer(BigInt::from(n) << shift)),
            2 => prop::sample::select(&[0.0, -0.0, 0.5, -2.5, 1e15, 1e22, 1e-7, f64::MAX, f64::MIN_POSITIVE, 5e-324][..]).prop_map(Value::Float),
            2 => any::<f64>().prop_filter("floats are finite", |f| f.is_finite()).prop_map(Value::Float),
        ]
    }

    fn atom() -> impl Strategy<Value = Value> {
        prop::sample::select(&["undefined", "null", "true", "false", "local", "message.publish"][..])
            .prop_map(Value::atom)
    }

    fn bits() -> impl Strategy<Value = Value> {
        (prop::collection::vec(any::<u8>(), 1..12), 1usize..8).prop_map(|(mut bytes, used)| {
            let last = bytes.len() - 1;
            bytes[last] &= 0xff << (8 - used);
            Value::Bits(Bits { bits: last * 8 + used, bytes: Bytes::from(bytes) })
        })
    }

    /// Nested as deep as a document may be.
    fn deep() -> Value {
        (1..rulemill::limits::JSON_DEPTH_MAX).fold(Value::Int(1), |inner, _| Value::list(vec![inner]))
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![4 => text(), 4 => number(), 1 => atom(), 1 => bits(), 1 => Just(deep())];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::list),
                prop::collection::vec((0u8..=255).prop_map(|b| Value::Int(b.into())), 0..8)
                    .prop_map(Value::list),
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::tuple),
                prop::collection::vec((prop_oneof![9 => text(), 1 => number()], inner), 0..5)
                    .prop_map(|entries| Value::Map(Map::from_entries(entries))),
            ]
        })
    }

    /// What a parameter of a name takes besides its kinds, so that bodies get past their first look.
    fn words(param: &str) -> &'static [&'static str] {
        match param {
            "unit" => &["second", "millisecond", "microsecond", "nanosecond"],
            "offset" => &["local", "Z", "+08:00", "-0530", "+23:59:59"],
            "pattern" => &[
                "%Y-%m-%dT%H:%M:%S.%6N%:z",
                "%N%z%::z",
                "(a|b)*c",
                "(?<=a)\\w+",
                "[[:alpha:]\\d-]+",
                "é|$",
                "",
            ],
            "where" => &["leading", "trailing", "both", "all", "notrim", "leading_notrim", "trailing_notrim"],
            "type" => &["integer", "float", "bits"],
            "sign" => &["signed", "unsigned"],
            "order" => &["big", "little"],
            "nocrlf" => &["nocrlf"],
            "algorithm" => {
                &["md4", "sha1", "sha512", "sha3_224", "shake256", "blake2b", "blake2s", "ripemd160"]
            }
            "format" => {
                &["~p", "~w~n", "~s ~ts", "~*.*f", "~8.16.0b", "~P", "~30p", "~.3e", "~g", "~99s", "~x"]
            }
            "digits" => &["deadbeef", "abc", ""],
            "time" => &["2022-05-05T10:00:00.123+08:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59z"],
            "text" => &[
                "a.b.c",
                "2022-05-05T10:00:00.123456+08:00",
                "e\u{301}\r\n ",
                "YWJj",
                "[1,{\"a\":2.5}]",
                "\\x41\\n",
            ],
            _ => &[],
        }
    }

    /// An argument for a parameter: a word that it knows, a value of its kinds, or anything.
    fn pick(param: &func::Param, pool: &[Value], dice: &mut Ctx) -> Value {
        let mut roll = |sides: usize| (dice.next_random() % sides as u64) as usize;
        let words = words(param.name);
        if !words.is_empty() && param.kinds.holds(&Value::str("")) && roll(4) > 0 {
            return Value::str(words[roll(words.len())]);
        }
        let fitting: Vec<&Value> = pool.iter().filter(|value| param.kinds.holds(value)).collect();
        if fitting.is_empty() || roll(8) == 0 {
            return pool[roll(pool.len())].clone();
        }
        fitting[roll(fitting.len())].clone()
    }

    /// Bytes that decoders accept.
    fn encoded() -> impl Strategy<Value = Value> {
        (value(), 0..4usize).prop_map(|(value, how)| {
            let mut ctx = Ctx::frozen(0, 0);
            let mut run = |name: &str, value: &Value| {
                let row = func::find(name, 1, Profile::V5_8).unwrap();
                row.run(
                    &mut Call { ctx: &mut ctx, columns: None, profile: Profile::V5_8 },
                    std::slice::from_ref(value),
                )
            };
            let term = run("term_encode", &value).unwrap_or(Value::Null);
            run(["term_encode", "gzip", "zip", "zip_compress"][how], if how == 0 { &value } else { &term })
                .unwrap_or(term)
        })
    }

    fn check(row: &Builtin, profile: Profile, args: &[Value], ctx: &mut Ctx) -> Result<(), TestCaseError> {
        let columns = Map::of_columns([
            ("topic", Value::str("t/1")),
            ("flags", args.first().cloned().unwrap_or(Value::Null)),
        ]);
        for columns in [None, Some(&columns)] {
            let mut call = Call { ctx, columns, profile };
            if let Ok(answer) = row.run(&mut call, args) {
                prop_assert!(row.ret.holds(&answer), "{:?} of {:?} gives {:?}", row, args, answer);
                let shown = to_display(&answer);
                prop_assert!(
                    !shown.contains("inf") || !matches!(answer, Value::Float(_)),
                    "{:?} gives {}",
                    row,
                    shown
                );
                prop_assert!(compare::equal(&answer, &answer.clone()));
            }
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 160, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn never_panic_and_answer_as_declared(
            values in prop::collection::vec(value(), 30..60),
            coded in prop::collection::vec(encoded(), 4),
            seed in any::<u64>(),
        ) {
            let pool = [values, coded].concat();
            let mut dice = Ctx::frozen(0, seed);
            for profile in Profile::ALL {
                let mut ctx = Ctx::frozen(1_651_744_800_123_456_789, seed);
                for row in rows(profile) {
                    let more = if row.variadic { (dice.next_random() % 3) as usize } else { 0 };
                    let params = row.params.iter().chain(row.params.last().into_iter().cycle().take(more));
                    let args: Vec<Value> = params.map(|param| pick(param, &pool, &mut dice)).collect();
                    check(row, profile, &args, &mut ctx)?;
                }
            }
        }
    }

    #[test]
    fn stores_stay_shallow() {
        let mut ctx = Ctx::frozen(0, 0);
        let find = |name, arity| func::find(name, arity, Profile::V5_8).unwrap();
        let (get, put, nest) = (find("kv_store_get", 1), find("kv_store_put", 2), find("map_put", 3));
        let mut call = Call { ctx: &mut ctx, columns: None, profile: Profile::V5_8 };
        let key = Value::str("k");
        let mut failed = None;
        for level in 0..10_000 {
            let stored = get.run(&mut call, std::slice::from_ref(&key)).unwrap();
            let nested = nest.run(&mut call, &[Value::str("a.b"), stored, Value::Null]);
            if let Err(e) = nested.and_then(|nested| put.run(&mut call, &[key.clone(), nested])) {
                failed = Some((level, e.to_string()));
                break;
            }
        }
        let (level, reason) = failed.unwrap();
        assert!(level < rulemill::limits::JSON_DEPTH_MAX && reason.contains("nested"), "{level}: {reason}");
    }

    #[test]
    fn texts_lists_and_integers_stop_at_their_bounds() {
        let mut ctx = Ctx::frozen(0, 0);
        let mut run = |name: &str, args: &[Value]| {
            let row = func::find(name, args.len(), Profile::V5_8).unwrap();
            row.run(&mut Call { ctx: &mut ctx, columns: None, profile: Profile::V5_8 }, args)
                .map_err(|e| e.to_string())
        };
        let max = rulemill::limits::TEXT_BYTES_MAX as i64;
        assert!(run("pad", &[Value::str("a"), Value::Int(max)]).is_ok());
        assert!(run("pad", &[Value::str("a"), Value::Int(max + 1)]).unwrap_err().contains("limit"));
        let bits = rulemill::limits::INTEGER_BITS_MAX as i64;
        assert!(run("bitsl", &[Value::Int(1), Value::Int(bits - 1)]).is_ok());
        assert!(run("bitsl", &[Value::Int(1), Value::Int(bits)]).unwrap_err().contains("limit"));
        let items = rulemill::limits::LIST_LENGTH_MAX;
        let commas = |n: usize| Value::from(",".repeat(n - 1));
        assert!(run("split", &[commas(items), Value::str(","), Value::str("notrim")]).is_ok());
        let over = run("split", &[commas(items + 1), Value::str(","), Value::str("notrim")]);
        assert!(over.unwrap_err().contains("limit"));
        let wide = run("sprintf", &[Value::str("~99999999999s"), Value::str("a")]);
        assert!(wide.unwrap_err().contains("limit"));
        let grown = run(
            "replace",
            &[Value::from("a".repeat(10_000)), Value::str("a"), Value::from("b".repeat(10_000))],
        );
        assert!(grown.unwrap_err().contains("limit"));
    }
}

#[test]
fn profiles_differ_where_the_engines_do() {
    let cases = [
        ("str(0.1)", Ok("\"0.1\""), Ok("\"0.1\"")),
        ("str(12345678.9)", Ok("\"12345678.9000000004\""), Ok("\"12345678.90000000037252896\"")),
        ("concat('a', 1)", Ok("\"a1\""), Err("a string")),
        ("mget('a', '{\"a\":1}')", Ok("1"), Err("a map")),
        ("is_empty('')", Ok("true"), Err("is_empty")),
        ("bin2hexstr(str([233]))", Ok("\"C3A9\""), Ok("\"E9\"")),
        ("bin2hexstr(subbits('a', 1, 5, 'bits', 'unsigned', 'big'))", Ok("\"0C\""), Err("a string")),
        ("date_to_unix_ts('second', '%Y-%m-%d', '2024-03-01')", Err("no %H"), Ok("1709164800")),
    ];
    for (sql, new, old) in cases {
        for (profile, wanted) in [(Profile::V5_8, new), (Profile::V4_3, old)] {
            let given = evaluate(sql, profile);
            let holds = match (&wanted, &given) {
                (Ok(wanted), Ok(given)) => wanted == given,
                (Err(part), Err(given)) => given.contains(part),
                _ => false,
            };
            assert!(holds, "{profile}: {sql} gives {given:?}, not {wanted:?}");
        }
    }
    assert!(Profiles::Only4.has(Profile::V4_3) && !Profiles::Only4.has(Profile::V5_8));
}
