#!/usr/bin/env python3
# SPDX-FileCopyrightText: The minrnn authors
# SPDX-License-Identifier: MIT
"""Makes of the headers and pages of this repository what Doxygen reads: sources.py SOURCE_FOLDER OUTPUT_FOLDER.

Comments and pages stay plain text that is read in an editor and on GitHub. Their form is this project's own: parts as
Equations and Shapes in comments, links from file to file in pages. Copies in Doxygen's words are written to
OUTPUT_FOLDER, a header with as many lines as it has, so that the listing of the original and the copy agree.
"""
import html
import json
import re
import sys
from pathlib import Path

import mathematics

ROOT = Path(sys.argv[1]).resolve()
OUT = Path(sys.argv[2]).resolve()

# The pages of the site: how their labels begin, and where they are. The first is the start page.
PAGES = {
    "start": "README.md",
    "map": "include/minrnn/README.md",
    "pytorch": "include/minrnn/io/README.md",
    "distributed": "include/minrnn/distributed/README.md",
    "examples": "examples/README.md",
    "benchmarks": "bench/README.md",
    "contributing": ".github/CONTRIBUTING.md",
    "platforms": ".github/PLATFORMS.md",
}
PAGES.update({path.stem: f"cmake/docs/pages/{path.name}" for path in sorted((ROOT / "cmake/docs/pages").glob("*.md"))})
OTHERS = {}  # and those that these lead to
page_text = {}
for path in (waiting := list(PAGES.values())):
    page_text[path] = (ROOT / path).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^():#]+\.md)", page_text[path]):
        file = (ROOT / path).parent.joinpath(target).resolve().relative_to(ROOT).as_posix()
        if file not in waiting:
            waiting.append(file)
            OTHERS[re.sub(r"\W+", "_", re.sub(r"(/README)?\.md$", "", file)).strip("_").lower()] = file
PAGES.update(OTHERS)
LABELS = {path: label for label, path in PAGES.items()}

headers = sorted((ROOT / "include/minrnn").rglob("*.hpp"))


# Names that a program may use, and what is written about them

def public_names():
    """Classes, concepts and functions of the namespace minrnn itself that have a comment, and the header of each."""
    names = {}
    for header in headers:
        depth = 0  # of braces within minrnn; those of `detail` and of classes are passed over
        inside = False
        has_comment = False
        for line in header.read_text(encoding="utf-8").split("\n"):
            has_comment = line.startswith("///") or has_comment and line != ""
            code = re.sub(r'//.*|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'', "", line)
            if re.match(r"namespace minrnn \{", code):
                inside, depth = True, 0
                continue
            if inside and depth == 0 and not code.startswith(("#", "}", " ")):
                found = re.match(r"(?:class|struct|enum class) (?:\w+\(.*?\) )?(\w+)|concept (\w+)|using (\w+) =", code)
                function = re.match(r"(?!using|class|struct|enum|concept|template|namespace|static_assert|return)"
                                    r"[\w:&<>,*\[\] ]*?[ &>*](\w+)\(", code)
                if found and found[1] and found[1].endswith("Options"):
                    names.setdefault(found[1], header)
                elif not has_comment:
                    pass
                elif found and not code.endswith(";") or found and found[3]:
                    names.setdefault(next(filter(None, found.groups())), header)
                elif function and ("_" in function[1] or function[1] == "quantise"):
                    names.setdefault(function[1], header)
            if line.startswith("}"):
                has_comment = False
            if inside:
                depth += code.count("{") - code.count("}")
    return names


NAMES = public_names()


def linked(code):
    """A code span, which leads to the documentation of what it names."""
    name = re.fullmatch(r"(?:minrnn::)?(\w+)(<[^|]*>)?(\([^|]*\))?", code)
    if name and name[1] in NAMES:
        return f'<tt>\\ref minrnn::{name[1]} "{escaped(code)}"</tt>'
    if "\\|" in code:  # as GitHub wants a bar in a table
        return f"\\htmlonly <code>{html.escape(code).replace(chr(92) + '|', '&#124;')}</code>\\endhtmlonly"
    return f"``{code}``" if "'" in code else f"`{code}`"  # Doxygen ends one of a single sign at an apostrophe


def escaped(text):
    """Words in which Doxygen finds no command, no HTML and no emphasis."""
    return re.sub(r"([\\@<>&#%*])", r"\\\1", text)


def words(text):
    """Prose of a comment: code spans and names of classes are links, all else is as it is written."""
    out = []
    for i, part in enumerate(re.split(r"`([^`]+)`", text)):
        if i % 2 == 1:
            out.append(linked(part))
        else:
            part = re.sub(r"\bh~", "h\u0303", part)
            place = 0
            for match in re.finditer(r"(?<![\w.:])[A-Z]\w*[a-z]\w*[A-Z]\w*\b", part):
                if match[0] in NAMES:
                    out.append(escaped(part[place:match.start()]))
                    out.append(f'\\ref minrnn::{match[0]} "{match[0]}"')
                    place = match.end()
            out.append(escaped(part[place:]))
    return "".join(out)


# Comments

PART = re.compile(r"([A-Z][A-Za-z]*(?:,? [a-z]+)*) {2,}(\S.*)")


class Comment:
    """A block of /// lines, without the slashes, made into as many lines for Doxygen."""

    def __init__(self, lines):
        self.lines = lines
        self.out = [""] * len(lines)
        self.parts = {}

    def render(self):
        place = 0
        while place < len(self.lines):
            line = self.lines[place]
            part = PART.fullmatch(line)
            if part and len(part[1]) < 14:
                place = self.part(place, part[1], len(line) - len(part[2]))
            elif re.match(r"infer, step \S", line):
                place = self.part(place, "infer, step", 12)
            elif line.startswith("  "):
                place = self.block(place)
            else:
                self.out[place] = words(line)
                place += 1
        return self.out

    def end_of(self, place, column):
        end = place + 1
        while end < len(self.lines) and self.lines[end].startswith(" " * min(column, 4)):
            end += 1
        return end

    def part(self, place, name, column):
        end = self.end_of(place, column)
        text = [self.lines[i][column:].rstrip() if i == place else self.lines[i][min(column, indent(self.lines[i])):]
                for i in range(place, end)]
        self.parts[name] = text
        open_tag, close_tag = f'<dl class="part"><dt>{name}</dt><dd>', "</dd></dl>"
        if name in ("Equations", "Gradient"):
            self.out[place] = f"{open_tag}\\htmlonly {mathematics.equations(text)} \\endhtmlonly{close_tag}"
        elif name == "Use" and any(re.search(r"[;{}]", line) for line in text):
            self.code(place, text, open_tag, close_tag)
        else:
            made = lines_of(name, text)
            made[0] = open_tag + made[0]
            made[-1] += close_tag
            self.out[place:end] = made
        return end

    def code(self, place, text, before="", after=""):
        least = min(indent(line) for line in text if line.strip())
        made = [line[least:] for line in text]
        made[0] = f"{before}\\code{{.cpp}}{made[0]}"
        made[-1] += f"\\endcode{after}"
        self.out[place:place + len(made)] = made

    def block(self, place):
        """Lines that are indented: a drawing, a program, a table of terms, or an equation."""
        end = place
        while end < len(self.lines) and self.lines[end].startswith("  "):
            end += 1
        text = self.lines[place:end]
        least = min(indent(line) for line in text)
        if any(re.search(r"\+--| \| |->  | \[ ", line) for line in text):
            text = [line[least:] for line in text]
            text[0] = "\\verbatim " + text[0]
            text[-1] += " \\endverbatim"
            self.out[place:end] = text
        elif any(re.search(r"[;{}]\s*(//.*)?$|^ *#include", line) for line in text) and not any(
                re.match(r" *\S.*?\S? {2,}[a-z].*[^;]$", line) and "//" not in line for line in text[:1]):
            self.code(place, text)
        elif all(re.match(r" *\S+(?: \S+)* {2,}\S", line) or indent(line) > least for line in text):
            self.terms(place, text, least)
        else:
            self.out[place] = f"\\htmlonly {mathematics.equations([line.strip() for line in text])} \\endhtmlonly"
        return end

    def terms(self, place, text, least):
        made = []
        for line in text:
            term = re.match(r" *(\S+(?: \S+)*?) {2,}(\S.*)", line) if indent(line) == least else None
            if term:
                names = " ".join(f"<tt>{escaped(term[1])}</tt>".split())
                made.append(f"</td></tr><tr><td>{names}</td><td>{words(term[2])}")
            elif indent(line) == least:
                made.append(f"</td></tr><tr><td><tt>{escaped(line.strip())}</tt></td><td>")
            else:
                made.append(words(line.strip()))
        made[0] = '<table class="terms">' + made[0].removeprefix("</td></tr>")
        made[-1] += "</td></tr></table>"
        self.out[place:place + len(made)] = made


def lines_of(part, text):
    """The lines of a part of words; each source of several stands on a line of its own."""
    return [("<br>" if part == "Source" and i > 0 and line.startswith("[") else "") + words(line.strip())
            for i, line in enumerate(text)]


def indent(line):
    return len(line) - len(line.lstrip())


comments = {}  # of classes and functions, by their names: the first that has parts


class Scopes:
    """To what the open braces of a header belong: "namespace", "type", "enum" or "other"."""

    def __init__(self):
        self.kinds = []
        self.statement = ""

    def innermost(self):
        return self.kinds[-1] if self.kinds else ""

    def read(self, line):
        for character in re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)\'|//.*', "", line):
            if character == "{":
                self.kinds.append(self.kind())
            elif character == "}" and self.kinds:
                self.kinds.pop()
            self.statement = "" if character in "{};" else self.statement + character
        self.statement += " "

    def kind(self):
        found = re.search(r"\b(namespace|enum|class|struct|union)\b(?!.*\) *(const|noexcept)? *$)", self.statement)
        if not found:
            return "other"
        return found[1] if found[1] in ("namespace", "enum") else "type"


def doxygen_header(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    out, scopes = list(lines), Scopes()
    place = 0
    member = None  # the line of a member whose comment may go on below
    while place < len(lines):
        line = lines[place]
        trailing = re.match(r"( +[\w}].*?[;,})\w]) +// (.*)$", line)
        if re.match(r" *///(?: |$)", line):
            end = place
            while re.match(r" *///(?: |$)", lines[end]):
                end += 1
            out[place:end] = doxygen_comment(lines[place:end], lines[end:], path)
            place = end
            continue
        if trailing and scopes.innermost() in ("type", "enum") and not re.match(r" *(public|private|protected):", line):
            out[place] = f"{trailing[1]}  ///< {words(trailing[2])}"
            member = place
        elif member == place - 1 and re.match(r" {12,}// ", line):
            out[place] = re.sub(r"^( +)// (.*)", lambda m: f"{m[1]}///< {words(m[2])}", line)
            member = place
        scopes.read(line)
        place += 1
    out[0] = "/** \\file */"
    add_settings(lines, out)
    add_group(path, lines, out)
    return out


def doxygen_comment(lines, after, path):
    comment = Comment([re.sub(r"^ */// ?", "", text) for text in lines])
    made = comment.render()
    if after[0].startswith("namespace"):
        made[0] = f"\\file {path.name} \\brief {made[0]}"
    if inherits_the_contract(path, after[:8]):
        made[-1] += f'<dl class="part"><dt>Members</dt><dd>as {linked("SequenceLayer")} says</dd></dl>'
    remember(comment, after[:6], path)
    return [f"{' ' * indent(lines[0])}/// {text}".rstrip() for text in made]


def add_settings(lines, out):
    """Settings without a comment are those of what they are named after."""
    for i, line in enumerate(out):
        settings = re.match(r"struct ((\w+)Options) \{", line)
        if settings and not out[i - 1].startswith("///"):
            out[i] = f"/** Settings of {linked(user_of(*settings.groups(), lines))}. */ {line}"


def add_group(path, lines, out):
    """A folder is a group of Doxygen's: its members stand on a page of their own."""
    group = group_of(path.parent.relative_to(ROOT / "include/minrnn").as_posix())
    for i, line in enumerate(lines):
        if group != "." and line == "namespace minrnn {":
            out[i] += f"  /** \\addtogroup {group}"
            out[i + 1] = "@{ */"
        elif group != "." and line == "}  // namespace minrnn":
            out[i] = f"/** @}} */ {line}"


def user_of(options, stem, lines):
    """Whose settings a struct has: what it is named after, or the first that takes it."""
    user = re.search(rf"(\w+)\([^(){{}};]*\b{options}\b", "\n".join(lines))
    return stem if stem in NAMES else user[1] if user else "some functions"


def inherits_the_contract(path, after):
    """Whether what follows a comment is a layer whose functions are those of a base that is not documented."""
    derived = re.search(r"\nclass \w+ (final )?: public detail::", "\n".join(after).split("{")[0])
    return path.parent.name in ("layers", "compose") and bool(derived)


def folders():
    """The folders of the headers with what the table of the map says of each."""
    return re.findall(r"^\| `([\w/]+)/` \| (.*?) \| [^|]* \|$", page_text[PAGES["map"]], re.MULTILINE)


def group_of(folder):
    return folder.replace("/", "_")


def groups():
    """A group for each folder."""
    out = []
    for folder, said in folders():
        text = doxygen_line(PAGES["map"], said)
        out.append(f"/** \\defgroup {group_of(folder)} {folder}\n{text[0].upper()}{text[1:].rstrip('.')}.\n*/\n")
    out.append("/** \\namespace minrnn\nAll that a program may use, beside `std` and `Eigen`.\n*/\n")
    return "".join(out)


def headings():
    """The headings of the pages with where they are, as a script for the search."""
    entries = []
    for page, text in page_text.items():
        file = ("index" if LABELS[page] == "start" else LABELS[page]) + ".html"
        found = [match for line, is_code in outside_code(text) if not is_code
                 for match in [re.match(r"(#+) (.*)", line)] if match]
        title = found[0][2]
        for heading in found:
            target = file if heading[1] == "#" else f"{file}#{label_of(page, heading[2])}"
            entries.append([heading[2].replace("`", ""), "" if heading[1] == "#" else title, target])
    return f"window.minrnnHeadings = {json.dumps(entries, indent=0)};\n"


def remember(comment, after, path):
    """Keeps a comment that has parts, for a page that lists what many of them say."""
    for line in after:
        found = re.match(r"(?:class|struct|concept) (\w+)|[\w:<> &]*?\b(\w+)\(", line.strip())
        if found and not line.startswith("template"):
            name = found[1] or found[2]
            if comment.parts:
                comments.setdefault(name, (comment, path))
            return


# Pages

def slug(heading):
    text = re.sub(r"[`*]|\]\([^)]*\)|\[", "", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def label_of(page, heading):
    return f"{LABELS[page]}_{slug(heading).replace('-', '_')}"


def outside_code(text):
    """The lines of a page, each with whether it is in a block of code."""
    inside = False
    for line in text.split("\n"):
        fence = re.match(r" *```", line)
        yield line, inside or bool(fence)
        if fence:
            inside = not inside


anchors = {page: {slug(match[1]) for line, is_code in outside_code(text) if not is_code
                  for match in [re.match(r"#+ (.*)", line)] if match} for page, text in page_text.items()}
listings = {}  # files that pages lead to, by their labels
images = set()


def link(page, text, target):
    """Markdown of Doxygen's for a link of a page."""
    if re.match(r"[a-z]+:", target):
        return f"[{text}]({target})"
    path, _, anchor = target.partition("#")
    file = (ROOT / page).parent.joinpath(path).resolve() if path else ROOT / page
    name = file.relative_to(ROOT).as_posix()
    if name in LABELS:
        if anchor and anchor not in anchors[name]:
            sys.exit(f"{page}: a link leads to the heading {anchor} of {name}, which is not there")
        label = label_of(name, anchor) if anchor else "index" if LABELS[name] == "start" else LABELS[name]
        return f"[{text}](@ref {label})"
    if file.suffix == ".hpp" and name.startswith("include/"):
        return f"[{text}](@ref {name.removeprefix('include/')})"
    if file.is_dir():
        return text
    label = "file_" + re.sub(r"\W", "_", name)
    listings[label] = name
    return f"[{text}](@ref {label})"


def doxygen_line(page, line):
    made, place = [], 0
    for match in re.finditer(r"`([^`]+)`|!\[([^\]]*)\]\(([^)]*)\)|\[((?:[^\[\]]|`[^`]*`)*)\]\(([^)]*)\)", line):
        made.append(plain(line[place:match.start()]))
        if match[1]:
            made.append(linked(match[1]))
        elif match[3]:
            file = (ROOT / page).parent.joinpath(match[3]).resolve()
            images.add(file)
            made.append(f'\\htmlonly <figure><a href="{file.name}"><img src="{file.name}" alt="{match[2]}"/></a>'
                        f"<figcaption>{match[2]}</figcaption></figure> \\endhtmlonly")
        else:
            made.append(link(page, match[4], match[5]))
        place = match.end()
    made.append(plain(line[place:]))
    return "".join(made)


def plain(text):
    return re.sub(r"([@\\])(?=\w)", r"\\\1", text)


def doxygen_page(page):
    out = []
    headings = sum(1 for line, is_code in outside_code(page_text[page]) if not is_code and line.startswith("## "))
    for line, is_code in outside_code(page_text[page]):
        heading = re.match(r"(#+) (.*)", line)
        head = re.fullmatch(r"<!-- (\w+) -->", line)
        if is_code:
            out.append(re.sub(r"^( *)```(\w+)$", r"\1```{.\2}", line))
        elif head:
            out.append(summary(head[1], page))
        elif heading and heading[1] == "#":
            label = "mainpage" if LABELS[page] == "start" else LABELS[page]
            out.append(f"# {heading[2]} {{#{label}}}")
            if headings > 2:
                out.append("\n[TOC]\n")
        elif heading:
            out.append(f"{heading[1]} {doxygen_line(page, heading[2])} {{#{label_of(page, heading[2])}}}")
        else:
            out.append(doxygen_line(page, line))
    return "\n".join(out)


def summary(name, page):
    """What the head of a class says, for a page that lists many."""
    if name not in comments:
        sys.exit(f"{page}: there is no comment with equations of {name}")
    comment, path = comments[name]
    rows = []
    for part in ("Equations", "Shapes", "Memory", "Source"):
        if part in comment.parts:
            text = comment.parts[part]
            body = (f"\\htmlonly {mathematics.equations(text)} \\endhtmlonly" if part == "Equations" else
                    " ".join(lines_of(part, text)))
            rows.append(f'<dl class="part"><dt>{part}</dt><dd>{body}</dd></dl>')
    return "\n".join(rows)


def site_header():
    """The head of each page, whose list has the pages that the others lead to and the folders, too."""
    lists = {"other pages": [(label, re.match("# (.*)", page_text[page])[1]) for label, page in OTHERS.items()],
             "folders": [("group__" + group_of(folder).replace("_", "__"), folder) for folder, _ in folders()]}
    text = (ROOT / "cmake/docs/header.html").read_text(encoding="utf-8")
    for name, links in lists.items():
        text = text.replace(f"<!-- {name} -->\n",
                            "".join(f'<a href="$relpath^{file}.html">{title}</a>\n' for file, title in links))
    return text


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main():
    for header in headers:
        write(OUT / header.relative_to(ROOT), "\n".join(doxygen_header(header)))
    for page in PAGES.values():
        write(OUT / page, doxygen_page(page))
    write(OUT / "header.html", site_header())
    write(OUT / "headings.js", headings())
    write(OUT / "groups.dox", groups())
    for label, name in sorted(listings.items()):
        suffix, text = Path(name).suffix, (ROOT / name).read_text(encoding="utf-8")
        language = suffix if suffix in (".cpp", ".hpp", ".py") else ".unparsed"
        write(OUT / f"listings/{label}.md",
              f"# {name} {{#{label}}}\n\n~~~~~~{{{language}}}\n{text}\n~~~~~~\n")
    write(OUT / "pages.txt", "".join(f"{OUT / page}\n" for page in PAGES.values()))
    write(OUT / "images.txt", "".join(f"{image}\n" for image in sorted(images)))


if __name__ == "__main__":
    main()
