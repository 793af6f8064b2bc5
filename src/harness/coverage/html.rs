//! Coverage as one HTML file: no script, nothing loaded from elsewhere.

use std::fmt::Write;

use super::excerpt::{self, Excerpt, Line, Mark, State};
use super::summary::{Count, Coverage, RuleCoverage};

const STYLE: &str = include_str!("page.css");

/// The whole page.
pub fn html(coverage: &Coverage) -> String {
    let mut out = String::new();
    let total = coverage.count();
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>Rule coverage: {} %</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>Rule coverage</h1>\n<p class=\"total {}\"><b>{} %</b> {} of {} points</p>\n</header>\n<main>\n",
        total.percent(),
        class(total),
        total.percent(),
        total.reached,
        total.points
    );
    write_table(&mut out, coverage);
    coverage.rules.iter().enumerate().for_each(|(at, rule)| write_rule(&mut out, at, rule));
    out.push_str(
        "</main>\n<footer>Marked red: what no test reached. Marked amber: good to know, not counted. \
         Written by <code>rulemill test --coverage</code>.</footer>\n</body>\n</html>\n",
    );
    out
}

fn class(count: Count) -> &'static str {
    match count.percent() {
        100 => "full",
        50..100 => "part",
        _ => "low",
    }
}

fn write_table(out: &mut String, coverage: &Coverage) {
    out.push_str(
        "<table>\n<thead><tr><th>Rule</th><th>File</th><th class=\"n\">Points</th><th>Covered</th>\
         <th class=\"n\">Advisory</th></tr></thead>\n<tbody>\n",
    );
    for (at, rule) in coverage.rules.iter().enumerate() {
        let (count, advisory) = (rule.count(), rule.advisory());
        let place = &rule.rule.place;
        let _ = writeln!(
            out,
            "<tr><td><a href=\"#rule-{at}\">{}</a></td><td class=\"file\">{}:{}</td><td class=\"n\">{}/{}</td>\
             <td>{}</td><td class=\"n\">{}/{}</td></tr>",
            escaped(&rule.rule.id),
            escaped(place.file()),
            place.line(),
            count.reached,
            count.points,
            bar(count),
            advisory.reached,
            advisory.points
        );
    }
    out.push_str("</tbody>\n</table>\n");
}

fn bar(count: Count) -> String {
    if count.points == 0 {
        return "<span class=\"quiet\">disabled</span>".to_owned();
    }
    let (class, percent) = (class(count), count.percent());
    format!(
        "<span class=\"bar {class}\"><i style=\"width:{percent}%\"></i></span><span class=\"percent\">{percent} %</span>"
    )
}

fn write_rule(out: &mut String, at: usize, coverage: &RuleCoverage) {
    let count = coverage.count();
    let _ = write!(
        out,
        "<section id=\"rule-{at}\">\n<h2>{} <small>{} of {} points, {}</small></h2>\n",
        escaped(&coverage.rule.id),
        count.reached,
        count.points,
        coverage.ran()
    );
    for excerpt in excerpt::excerpts(coverage) {
        write_excerpt(out, &excerpt);
    }
    out.push_str("</section>\n");
}

fn write_excerpt(out: &mut String, excerpt: &Excerpt) {
    let what = if excerpt.beside { "actions" } else { "SQL" };
    let _ = write!(
        out,
        "<figure>\n<figcaption>{what} in {}</figcaption>\n<div class=\"code\">\n",
        escaped(&excerpt.file)
    );
    let mut last = None;
    for line in &excerpt.lines {
        if last.is_some_and(|last| last + 1 != line.number) {
            out.push_str("<div class=\"cut\">⋯</div>\n");
        }
        last = Some(line.number);
        write_line(out, line);
    }
    out.push_str("</div>\n</figure>\n");
}

fn write_line(out: &mut String, line: &Line) {
    let class = line.state().map_or("plain", state_class);
    let _ = write!(out, "<div class=\"line {class}\"><span class=\"number\">{}</span><code>", line.number);
    write_marked(out, line);
    out.push_str("</code></div>\n");
    for mark in line.marks.iter().filter(|mark| mark.state > State::Reached) {
        let text: String = line.text.chars().skip(mark.from).take(mark.to - mark.from).collect();
        let _ = writeln!(
            out,
            "<div class=\"why {}\"><code>{}</code> {}</div>",
            state_class(mark.state),
            escaped(&text),
            sentence(&mark.sentence)
        );
    }
}

/// The text of a line, cut wherever a mark begins or ends; each piece is as its innermost mark.
fn write_marked(out: &mut String, line: &Line) {
    let characters: Vec<char> = line.text.chars().collect();
    let mut cuts: Vec<usize> = line.marks.iter().flat_map(|mark| [mark.from, mark.to]).collect();
    cuts.extend([0, characters.len()]);
    cuts.retain(|cut| *cut <= characters.len());
    cuts.sort_unstable();
    cuts.dedup();
    for piece in cuts.windows(2) {
        let text: String = characters[piece[0]..piece[1]].iter().collect();
        let covers = |mark: &&Mark| mark.from <= piece[0] && piece[1] <= mark.to;
        match line.marks.iter().filter(covers).min_by_key(|mark| mark.to - mark.from) {
            Some(mark) => {
                let title = escaped(&mark.sentence);
                let _ = write!(
                    out,
                    "<mark class=\"{}\" title=\"{title}\">{}</mark>",
                    state_class(mark.state),
                    escaped(&text)
                );
            }
            None => out.push_str(&escaped(&text)),
        }
    }
}

fn state_class(state: State) -> &'static str {
    match state {
        State::Reached => "reached",
        State::Advisory => "advisory",
        State::Gap => "gap",
    }
}

/// A sentence with its `…` stretches as code.
fn sentence(text: &str) -> String {
    let mut out = String::new();
    for (at, piece) in text.split('`').enumerate() {
        match at % 2 {
            0 => out.push_str(&escaped(piece)),
            _ => {
                let _ = write!(out, "<code>{}</code>", escaped(piece));
            }
        }
    }
    out
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
