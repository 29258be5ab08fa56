# SPDX-FileCopyrightText: The minrnn authors
# SPDX-License-Identifier: MIT
"""MathML of the plain text in which comments write equations: h_t = (1 - z_t) h_{t-1} + z_t h~_t.

Every browser of today shows MathML without a script, a font or a network. A line of MathML is never broken, so each
term of an equation becomes one <math>, and what stands between them may wrap on a narrow screen.
"""
import collections
import html
import re
import sys

# What is written in upright letters between the letters of variables, beside whatever has an argument: sigmoid(x).
NAMES = set("""
Gates a_log accuracy alpha base beta1 beta2 bias blocks conv cos dbias decay delta dgain dlambda dparameter dropout
dtable embedding eps epsilon erf exp final_rate gain gate gelu infinity inner input lambda learning_rate log log1p
logits loss lr mamba max mean min mixer mlp norm parameter pi pool precision rate raw recall scale sigmoid silu sin
skip softmax softplus sqrt step state steps sum table tanh target token tokens variance warm_up
""".split())
LETTERS = {"delta": "δ", "lambda": "λ", "alpha": "α", "epsilon": "ε", "eps": "ε", "pi": "π", "beta1": "β₁",
           "beta2": "β₂", "infinity": "∞"}
OPERATORS = {"-": "−", "-=": "−=", "*": "⊙", "...": "…", "..": "…", "!=": "≠", "<=": "≤", ">=": "≥",
             "->": "→", "+-": "±"}
TOKEN = re.compile(r"""\s+|`[^`]*`|[A-Za-z]+'s\b|[a-z]{2,}(?:/[a-z_]{2,})+(?:\.hpp)?|\d+(?:\.\d+)?(?:e-?\d+)?
                       |a_log|d?log_[ab](?![a-z])|[a-z]{2,}(?:_[a-z]{2,})+|[A-Za-z][A-Za-z0-9]*
                       |\.\.\.|\.\.|!=|<=|>=|->|\+-|[-+*/]=|::|.""", re.VERBOSE)
RELATIONS = {"=", "+=", "−=", "*=", "<", ">", "≤", "≥", "≠", "→"}


def tokens_of(text):
    return TOKEN.findall(text)


def is_word(tokens, i):
    """Whether a token is a word of a sentence and not of an equation."""
    token = tokens[i]
    if i > 0 and tokens[i - 1] in ("_", "^", "{"):
        return False
    following = tokens[i + 1] if i + 1 < len(tokens) else ""
    if token.startswith("`") or token == "::" or token.endswith("'s") or re.match(r"\w+/\w", token):
        return True
    if not re.fullmatch(r"[A-Za-z][A-Za-z]+(?:_[a-z]+)*", token) or following.startswith(("_", "~", "^")):
        return False
    if following == "(" or token in NAMES or re.fullmatch(r"d?[A-Z]{1,2}|d[a-z]", token):
        return False
    return True


class Parser:
    def __init__(self, tokens):
        self.tokens = [t for t in tokens if not t.isspace()]
        self.place = 0

    def peek(self, ahead=0):
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else ""

    def take(self):
        self.place += 1
        return self.tokens[self.place - 1] if self.place <= len(self.tokens) else ""

    def group(self, end):
        body = self.terms(end)
        if self.peek():
            self.take()
        return body

    def terms(self, end=""):
        parts, previous = [], ""
        while self.peek() and self.peek() != end:
            if joins(previous, self.peek()):
                parts.append("<mspace width='0.18em'/>")
            parts.append(self.term())
            previous = self.tokens[self.place - 1]
        return "".join(parts)

    def script(self):
        if self.peek() == "{":
            self.take()
            return f"<mrow>{self.group('}')}</mrow>"
        if self.peek() == "(":
            self.take()
            return f"<mrow>{self.group(')')}</mrow>"
        if self.peek() == "-":
            self.take()
            return f"<mrow><mo form='prefix'>−</mo>{self.script()}</mrow>"
        token = self.take()
        if token == "T":
            return "<mo>⊤</mo>"
        if re.fullmatch(r"[a-z]{2,}", token) and token not in LETTERS:  # tj: two indices
            return f"<mrow>{''.join(f'<mi>{c}</mi>' for c in token)}</mrow>" if len(token) == 2 else atom(token)
        return atom(token)

    def base(self):
        token = self.take()
        if token == "sqrt" and self.peek() == "(":
            self.take()
            return f"<msqrt>{self.group(')')}</msqrt>"
        if token == "(":  # which another piece may close
            body = self.terms(")")
            close = "<mo stretchy='false'>)</mo>" if self.peek() and self.take() else ""
            return f"<mrow><mo stretchy='false'>(</mo>{body}{close}</mrow>"
        if token == "sum":
            return "<mo movablelimits='false'>∑</mo>"
        return atom(token)

    def term(self):
        start = self.peek()
        base = self.base()
        if self.peek() == "~":
            self.take()
            base = f"<mover accent='true'>{base}<mo stretchy='false'>~</mo></mover>"
        primes = ""
        while self.peek() == "'":
            self.take()
            primes += "′"
        below = above = None
        while self.peek() in ("_", "^"):
            if self.take() == "_":
                base, below = f"<msub>{base}{below}</msub>" if below else base, self.script()
            else:
                above = self.script()
        if primes:
            above = f"<mrow><mo>{primes}</mo>{above or ''}</mrow>"
        if start == "sum" and below:
            return f"<munder>{base}{below}</munder>"
        if below and above:
            return f"<msubsup>{base}{below}{above}</msubsup>"
        if below:
            return f"<msub>{base}{below}</msub>"
        if above:
            return f"<msup>{base}{above}</msup>"
        return base


def atom(token):
    if token in LETTERS:
        return f"<mi>{LETTERS[token]}</mi>"
    if re.fullmatch(r"d(elta|lambda)", token):
        return f"<mi>d</mi><mi>{LETTERS.get(token[1:], 'δ')}</mi>"
    if re.fullmatch(r"\d.*", token):
        return f"<mn>{html.escape(token)}</mn>"
    if re.fullmatch(r"d[A-Za-z]", token):  # a derivative
        return f"<mrow><mi mathvariant='normal'>d</mi><mi>{token[1]}</mi></mrow>"
    if re.fullmatch(r"[A-Za-z]", token):
        return f"<mi>{token}</mi>"
    if re.fullmatch(r"[A-Za-z].*", token):
        return f"<mi mathvariant='normal'>{html.escape(token)}</mi>"
    sign = OPERATORS.get(token, token)
    if sign in ("|", "[", "]", "{", "}", ")", "⟨", "⟩"):
        return f"<mo stretchy='false' form='{'prefix' if sign in '[{⟨' else 'postfix'}'>{sign}</mo>"
    if sign in (",", ":", "."):
        return f"<mo separator='true'>{sign}</mo>"
    return f"<mo>{html.escape(sign)}</mo>"


def pieces_of(tokens):
    """Cuts an equation where a line may end: before a relation, and a plus or minus in no bracket or a long one."""
    piece, pieces, cuts = [], [], [True]  # of each open bracket, whether a line may end in it
    for i, token in enumerate(tokens):
        around = tokens[max(i - 1, 0)] + tokens[min(i + 1, len(tokens) - 1)]
        relation = OPERATORS.get(token, token) in RELATIONS and len(cuts) == 1
        if piece and cuts[-1] and (relation or token in "+-" and around.isspace()):
            pieces.append(piece)
            piece = []
        piece.append(token)
        if token in "([{":
            is_long = token == "(" and tokens[max(i - 1, 0)] != "sqrt" and length_of(tokens[i:]) > 30
            cuts.append(cuts[-1] and is_long)
        elif token in ")]}" and len(cuts) > 1:
            cuts.pop()
        elif len(cuts) == 1 and token in ",;":
            pieces.append(piece)
            piece = []
    return [p for p in pieces + [piece] if "".join(p).strip()]


def length_of(tokens):
    """How many characters stand in the bracket that is opened by the first token."""
    depth = 0
    for i, token in enumerate(tokens):
        depth += (token == "(") - (token == ")")
        if depth == 0:
            return len("".join(tokens[:i]))
    return 0


def math_of(tokens):
    out = []
    for piece in pieces_of(tokens):
        parser, parts = Parser(piece), []
        if OPERATORS.get(parser.peek(), parser.peek()) in RELATIONS or parser.peek() in "+-" and len(parser.tokens) > 1:
            form = "infix" if piece[1:2] and piece[1].isspace() else "prefix"
            parts.append(f"<mo form='{form}'>{html.escape(OPERATORS.get(parser.peek(), parser.take()))}</mo>")
            if parser.tokens[0] in OPERATORS and parser.place == 0:
                parser.take()
        out.append(f"<math>{''.join(parts)}{parser.terms()}</math>")
    return "<wbr/>".join(out)


def joins(previous, start):
    """Whether two neighbours are a product, between which there is a thin space: W_z x_t."""
    return bool(re.match(r"[A-Za-z0-9})~'\]]", previous[-1:])) and bool(re.match(r"[A-Za-z0-9]", start[:1]))


def prose(text):
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(text, quote=False))


def kinds_of(tokens):
    """What each token is: "word" of a sentence, "math" of an equation, or " "."""
    kinds = [" " if token.isspace() else "word" if is_word(tokens, i) else "math" for i, token in enumerate(tokens)]
    for i, token in enumerate(tokens):  # an article, and the commas, full stops and brackets of a sentence
        after = next((kind for kind in kinds[i + 1:i + 3] if kind != " "), "")
        before = next((kind for kind in reversed(kinds[max(i - 2, 0):i]) if kind != " "), "")
        if token in "aA" and (after == "word" or after == "" and i > 0):
            of_sentence = before in ("", "word") or tokens[max(i - 2, 0)] in ",;("
        elif token == "(":
            of_sentence = after == "word"
        elif token == ")":
            of_sentence = before == "word"
        elif token in ",.:;?":
            of_sentence = before == "word" or token == ";" or i + 1 == len(tokens)
        else:
            continue
        if of_sentence:
            kinds[i] = "word"
    return kinds


def mixed(text):
    """HTML of words with equations among them."""
    tokens = tokens_of(text)
    runs = []  # of one kind each; a space belongs to what stands before it
    for token, kind in zip(tokens, kinds_of(tokens)):
        if runs and kind in (" ", runs[-1][0]):
            runs[-1][1].append(token)
        else:
            runs.append((kind, [token]))
    out = []
    for kind, run in runs:
        body = "".join(run)
        space = " " if body[-1:].isspace() else ""
        out.append((prose(body.strip()) if kind == "word" else math_of(run)) + space if body.strip() else space)
    return "".join(out)


def equations(lines):
    """HTML of the lines of an Equations part: one line for each statement, its source at the right."""
    rows = []
    for line in lines:
        source = re.search(r"\s{3,}(\[[^\]]*\])$", line)
        text = re.sub(r"<(?=\S)([^<>=]+)>", r"⟨\1⟩", line[:source.start()] if source else line)  # a dot product
        rows.append((text.strip(), source[1] if source else ""))
    joined = []
    for text, source in rows:
        if joined and not joined[-1][1] and continues(joined[-1][0], text):
            joined[-1] = (joined[-1][0] + " " + text, source)
        else:
            joined.append((text, source))
    out = []
    for text, source in joined:
        parts = [mixed(part) for part in statements(text)]
        cite = f"<span class='cite'>{html.escape(source)}</span>" if source else ""
        body = "".join(f"<span class='statement'>{part}</span> " for part in parts)
        if letters(body) != letters(html.escape(" ".join(greek(token) for token in tokens_of(text)))):
            sys.exit(f"mathematics.py loses a part of: {text}")
        out.append(f"<div class='equation'>{cite}{body}</div>")
    return "".join(out)


def greek(token):
    return "d" + LETTERS[token[1:]] if token in ("ddelta", "dlambda") else LETTERS.get(token, token)


def letters(text):
    """How often each letter and digit stands in HTML, whatever its form."""
    text = text.replace("<msqrt>", "sqrt").replace("⊤", "T").replace("∑", "sum")
    return collections.Counter(c for c in html.unescape(re.sub(r"</?[a-z][^<>]*>", "", text)) if c.isalnum())


def continues(before, text):
    """Whether a line goes on with what the one before began."""
    if sum(before.count(c) for c in "([") > sum(before.count(c) for c in ")]") or before.count("`") % 2 == 1:
        return True
    if re.search(r"[;.:]$", before) or re.match(r"[^=]{1,40}=|[A-Z]\w+::", text):
        return False
    if re.match(r"(where|with|or|and|of|for|over|from|in|to|the|as) ", text):
        return True
    ends_equation = kinds_of(tokens_of(before))[-1] == "math" and re.search(r"[\w)\]']$", before)
    return not ends_equation


def statements(text):
    """Parts of a line that are set apart by a semicolon, or by a comma and two spaces, in no bracket."""
    depth, start, parts = 0, 0, []
    for match in re.finditer(r"[(\[{]|[)\]}]|;\s+|,  +", text):
        if match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth -= 1
        elif depth == 0:
            parts.append(text[start:match.start() + 1])
            start = match.end()
    parts.append(text[start:])
    return [part for part in parts if part.strip()]
