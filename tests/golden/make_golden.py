#!/usr/bin/env python3
# SPDX-FileCopyrightText: The minrnn authors
# SPDX-License-Identifier: MIT
"""Writes layers.txt, adam.txt, blocks.txt, compose.txt, frames.txt: what PyTorch computes in double, for the tests to
agree with.

Run with a Python that has torch (made with 1.13): python3 tests/golden/make_golden.py

A line `case NAME` begins a case; each line `NAME d0 d1 ...: v0 v1 ...` is a tensor, last dimension fastest, numbers
that read back as the same double. Sequences are (B, T, F), states (B, H), weights as torch has them. What is drawn is
rounded to two decimals, which keeps the files short; what is computed is written in full.
"""
import math
import pathlib

import torch

torch.set_default_dtype(torch.float64)
HERE = pathlib.Path(__file__).parent
T, B = 7, 2


def draw(*sizes, scale=1.0):
    """Normal numbers of two decimals."""
    return torch.round(torch.randn(*sizes) * scale * 100) / 100


def draw_positive(*sizes):
    return torch.round(torch.rand(*sizes) * 100 + 10) / 100


def g(x):
    return torch.where(x >= 0, x + 0.5, torch.sigmoid(x))


def log_g(x):
    # The clamp keeps the branch that is not taken, and so its gradient, finite.
    return torch.where(x >= 0, torch.log(x.clamp_min(0) + 0.5), -torch.nn.functional.softplus(-x))


def parallel_scan_log(log_coeffs, log_values):
    """The published listing (arXiv:2410.01201, appendix B): log_coeffs (B, T, H), log_values (B, T + 1, H)."""
    a_star = torch.nn.functional.pad(log_coeffs.cumsum(1), (0, 0, 1, 0))
    return (a_star + torch.logcumsumexp(log_values - a_star, 1)).exp()[:, 1:]


def linear(p, gate, x):
    return x @ p["w_" + gate].T + p["b_" + gate]


def sequential(decay, value, h):
    """h_t = decay_t h_{t-1} + value_t, step by step."""
    steps = []
    for t in range(decay.shape[1]):
        h = decay[:, t] * h + value[:, t]
        steps.append(h)
    return torch.stack(steps, 1)


def min_gru(p, x, h, positive, flip=1):
    z = torch.sigmoid(linear(p, "z", x))
    k = linear(p, "h", x)
    return sequential(1 - flip * z, z * (g(k) if positive else k), h)


def min_gru_log(p, x, h):
    softplus = torch.nn.functional.softplus
    k = linear(p, "z", x)
    values = torch.cat([h.log().unsqueeze(1), -softplus(-k) + log_g(linear(p, "h", x))], 1)
    return parallel_scan_log(-softplus(k), values)


def min_lstm(p, x, h, positive, normalised, flip=0):
    f, i = torch.sigmoid(linear(p, "f", x)), torch.sigmoid(linear(p, "i", x))
    if normalised:
        f, i = f / (f + i), i / (f + i)
    k = linear(p, "h", x)
    return sequential(f - flip * i, i * (g(k) if positive else k), h)


def min_lstm_log(p, x, h, normalised):
    softplus = torch.nn.functional.softplus
    f, i = linear(p, "f", x), linear(p, "i", x)
    if normalised:
        difference = softplus(-f) - softplus(-i)
        log_f, log_i = -softplus(difference), -softplus(-difference)
    else:
        log_f, log_i = -softplus(-f), -softplus(-i)
    values = torch.cat([h.log().unsqueeze(1), log_i + log_g(linear(p, "h", x))], 1)
    return parallel_scan_log(log_f, values)


class Writer:
    def __init__(self, path):
        self.file = open(path, "w", encoding="ascii")

    def case(self, name):
        self.file.write(f"case {name}\n")

    def tensor(self, name, tensor):
        sizes = "".join(f" {size}" for size in tensor.shape)
        values = " ".join(repr(value) for value in tensor.detach().reshape(-1).tolist())
        self.file.write(f"{name}{sizes}: {values}\n")


def write_case(writer, name, parameters, x, states, run, same=None):
    """run(parameters, x, states) gives y and the final states; loss = <dy, y> + <dstate, final state>.

    same, where given, computes the same in another way: value and every gradient must agree.
    """
    leaves = [x, *states.values(), *parameters.values()]
    for leaf in leaves:
        leaf.requires_grad_(True)
    y, final = run(parameters, x, states)
    dy = draw(*y.shape)
    dfinal = {key: draw(*value.shape) for key, value in final.items()}

    def gradients_of(y, final):
        loss = (dy * y).sum() + sum((dfinal[key] * final[key]).sum() for key in final)
        return torch.autograd.grad(loss, leaves)

    wanted = gradients_of(y, final)
    if same:
        other_y, other_final = same(parameters, x, states)
        pairs = [(other_y, y), *((other_final[key], final[key]) for key in final)]
        for ours, theirs in [*pairs, *zip(gradients_of(other_y, other_final), wanted)]:
            # Some hundred roundings of numbers of order 1 to 10.
            torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    gradients = dict(zip(map(id, leaves), wanted))
    writer.case(name)
    writer.tensor("x", x)
    writer.tensor("dy", dy)
    writer.tensor("y", y)
    writer.tensor("dx", gradients[id(x)])
    for key, value in states.items():
        writer.tensor(f"state/{key}", value)
        writer.tensor(f"final/{key}", final[key])
        writer.tensor(f"dfinal/{key}", dfinal[key])
        writer.tensor(f"dstate/{key}", gradients[id(value)])
    for key, value in parameters.items():
        writer.tensor(f"parameter/{key}", value)
        writer.tensor(f"gradient/{key}", gradients[id(value)])


def minimal_parameters(gates, inputs, features):
    parameters = {}
    for gate in gates:
        parameters["w_" + gate] = draw(features, inputs, scale=inputs**-0.5)
        parameters["b_" + gate] = draw(features)
    return parameters


def torch_parameters(module):
    parameters = {name[: -len("_l0")]: value for name, value in module.named_parameters()}
    with torch.no_grad():
        for value in parameters.values():
            value.copy_(draw(*value.shape, scale=module.hidden_size**-0.5))
    return parameters


def run_torch(module, x, states):
    stacked = [value.unsqueeze(0) for value in states.values()]
    y, final = module(x, stacked[0] if len(stacked) == 1 else tuple(stacked))
    final = [final] if len(stacked) == 1 else final
    return y, {key: value.squeeze(0) for key, value in zip(states, final)}


def write_minimal(writer, name, inputs, features, gates, run, log_run=None):
    def with_final(form):
        def call(p, x, s):
            y = form(p, x, s["h"])
            return y, {"h": y[:, -1]}

        return call

    write_case(writer, f"{name}_{inputs}_{features}", minimal_parameters(gates, inputs, features),
               draw(B, T, inputs), {"h": draw_positive(B, features)}, with_final(run),
               with_final(log_run) if log_run else None)


def write_layers(writer, inputs, features):
    size = f"{inputs}_{features}"

    def x():
        return draw(B, T, inputs)

    for kind, keys in ((torch.nn.GRU, ["h"]), (torch.nn.LSTM, ["h", "c"])):
        module = kind(inputs, features, batch_first=True)
        states = {key: draw(B, features) for key in keys}
        write_case(writer, f"{kind.__name__.lower()}_{size}", torch_parameters(module), x(), states,
                   lambda p, x, s, module=module: run_torch(module, x, s))

    def minimal(name, gates, run, log_run):
        write_minimal(writer, name, inputs, features, gates, run, log_run)

    for candidate in ("positive", "plain"):
        positive = candidate == "positive"
        minimal(f"min_gru_{candidate}", "zh", lambda p, x, h: min_gru(p, x, h, positive),
                min_gru_log if positive else None)
        for scaling in ("normalised", "unnormalised"):
            normalised = scaling == "normalised"
            minimal(f"min_lstm_{scaling}_{candidate}", "fih",
                    lambda p, x, h: min_lstm(p, x, h, positive, normalised),
                    (lambda p, x, h: min_lstm_log(p, x, h, normalised)) if positive else None)


def write_signed(writer, inputs, features):
    """Decays of 1 - 2 z, and f - i."""
    write_minimal(writer, "min_gru_signed", inputs, features, "zh", lambda p, x, h: min_gru(p, x, h, False, flip=2))
    for scaling in ("normalised", "unnormalised"):
        normalised = scaling == "normalised"
        write_minimal(writer, f"min_lstm_{scaling}_signed", inputs, features, "fih",
                      lambda p, x, h: min_lstm(p, x, h, False, normalised, flip=1))


def walk(step, states):
    """y and the final states of T steps; step(t, states) gives the states after it, h among them."""
    outputs = []
    for t in range(T):
        states = step(t, states)
        outputs.append(states["h"])
    return torch.stack(outputs, 1), states


def diagonal_gru(p, x, s):
    k = {gate: linear(p, gate, x) for gate in "zrn"}

    def step(t, s):
        z = torch.sigmoid(p["a_z"] * s["h"] + k["z"][:, t])
        r = torch.sigmoid(p["a_r"] * s["h"] + k["r"][:, t])
        n = torch.tanh(p["a_n"] * (s["h"] * r) + k["n"][:, t])
        return {"h": (1 - z) * s["h"] + z * n}

    return walk(step, s)


def diagonal_lstm(p, x, s):
    k = {gate: linear(p, gate, x) for gate in "fgo"}

    def step(t, s):
        f = torch.sigmoid(p["a_f"] * s["h"] + p["c_f"] * s["c"] + k["f"][:, t])
        g = torch.tanh(p["a_g"] * s["h"] + k["g"][:, t])
        c = f * s["c"] + (1 - f) * g
        o = torch.sigmoid(p["a_o"] * s["h"] + p["c_o"] * c + k["o"][:, t])
        return {"h": o * torch.tanh(c), "c": c}

    return walk(step, s)


def rg_lru(p, x, h):
    r, i = torch.sigmoid(linear(p, "r", x)), torch.sigmoid(linear(p, "i", x))
    a = torch.sigmoid(p["lambda"]) ** (8 * r)
    return sequential(a, torch.sqrt(1 - a**2) * i * linear(p, "h", x), h)


def write_rg_lru(writer, inputs, features):
    parameters = minimal_parameters("rih", inputs, features) | {"lambda": draw(features)}

    def run(p, x, s):
        y = rg_lru(p, x, s["h"])
        return y, {"h": y[:, -1]}

    write_case(writer, f"rg_lru_{inputs}_{features}", parameters, draw(B, T, inputs), {"h": draw(B, features)}, run)


def write_diagonal(writer, inputs, features):
    """Gates that see the state through diagonal weights."""
    for name, gates, weights, states, run in (
            ("diagonal_gru", "zrn", ["a_z", "a_r", "a_n"], ["h"], diagonal_gru),
            ("diagonal_lstm", "fgo", ["a_f", "c_f", "a_g", "a_o", "c_o"], ["h", "c"], diagonal_lstm)):
        parameters = minimal_parameters(gates, inputs, features)
        parameters |= {key: draw(features) for key in weights}
        write_case(writer, f"{name}_{inputs}_{features}", parameters, draw(B, T, inputs),
                   {key: draw(B, features) for key in states}, run)


def write_adam(writer, name, weight_decay):
    """Ten steps on a matrix, which decays, and a vector, which does not."""
    w, b = torch.nn.Parameter(draw(4, 3)), torch.nn.Parameter(draw(5))
    settings = dict(lr=1e-2, betas=(0.9, 0.99), eps=1e-8)
    if weight_decay:
        optimizer = torch.optim.AdamW([{"params": [w], "weight_decay": weight_decay},
                                       {"params": [b], "weight_decay": 0}], **settings)
    else:
        optimizer = torch.optim.Adam([w, b], **settings)
    writer.case(name)
    writer.tensor("w", w)
    writer.tensor("b", b)
    for step in range(10):
        w.grad, b.grad = draw(4, 3), draw(5) * 1e-3
        writer.tensor(f"dw{step}", w.grad)
        writer.tensor(f"db{step}", b.grad)
        optimizer.step()
        writer.tensor(f"w{step}", w)
        writer.tensor(f"b{step}", b)


def mamba(p, x, s):
    """The official block (mamba_simple.py) with its projections apart: (y, final states)."""
    silu, channels = torch.nn.functional.silu, p["skip"].shape[0]
    taps = p["conv/w"].shape[1]
    u, z = x @ p["in/w"].T, x @ p["gate/w"].T
    tail = s["conv/tail"].reshape(B, taps - 1, channels)  # oldest first
    seen = torch.cat([tail, u], 1)
    u = silu(p["conv/b"] + sum(p["conv/w"][:, j] * seen[:, j : j + T] for j in range(taps)))
    states = p["a_log"].shape[1]
    b, c = (u @ p["bc/w"].T).split(states, -1)
    delta = torch.nn.functional.softplus(u @ p["delta_down/w"].T @ p["delta_up/w"].T + p["delta_up/b"])
    a = -p["a_log"].exp()
    h = s["h"].reshape(B, states, channels).transpose(1, 2)  # channels are fastest in the state
    steps = []
    for t in range(T):
        h = (delta[:, t, :, None] * a).exp() * h + (delta[:, t] * u[:, t])[:, :, None] * b[:, t, None]
        steps.append((h * c[:, t, None]).sum(-1))
    y = (torch.stack(steps, 1) + p["skip"] * u) * silu(z)
    return y @ p["out/w"].T, {"conv/tail": seen[:, T:].reshape(B, -1), "h": h.transpose(1, 2).reshape(B, -1)}


def write_mamba(writer, features, inner, states, taps, rank):
    sizes = {"in/w": (inner, features), "gate/w": (inner, features), "conv/w": (inner, taps),
             "bc/w": (2 * states, inner), "delta_down/w": (rank, inner), "delta_up/w": (inner, rank),
             "a_log": (inner, states), "out/w": (features, inner)}
    parameters = {key: draw(*size, scale=size[1] ** -0.5) for key, size in sizes.items()}
    parameters |= {key: draw(inner) for key in ("conv/b", "delta_up/b", "skip")}
    state = {"conv/tail": draw(B, (taps - 1) * inner), "h": draw(B, states * inner)}
    write_case(writer, f"mamba_{features}", parameters, draw(B, T, features, scale=0.5), state, mamba)


def attention(heads, window):
    """Every query over every key that it sees, one by one."""
    ring = 1 << (window - 1).bit_length()

    def run(p, x, s):
        size = p["out/w"].shape[1] // heads
        turns = [max(1, round(2**20 / (2 * math.pi) * 10000 ** (-2 * e / size))) for e in range(size // 2)]

        def turned(vectors, position):
            """(heads, E) at a position."""
            angle = 2 * math.pi * torch.tensor([m * position % 2**20 for m in turns]) / 2**20
            low, high = vectors.split(size // 2, -1)
            return torch.cat([low * angle.cos() - high * angle.sin(), low * angle.sin() + high * angle.cos()], -1)

        outputs, final = [], {"keys": [], "values": [], "position": []}
        for row in range(B):
            slots = {key: list(s[key][row].reshape(ring, heads, size)) for key in ("keys", "values")}
            begin = int(s["position"][row])
            for t in range(T):
                position = begin + t
                q, k, v = (x[row, t] @ p["qkv/w"].T).reshape(3, heads, size)
                slots["keys"][position % ring], slots["values"][position % ring] = turned(k, position), v
                seen = [i % ring for i in range(position - min(position, window - 1), position + 1)]
                keys, values = (torch.stack([slots[key][i] for i in seen]) for key in ("keys", "values"))
                scores = (keys * turned(q, position)).sum(-1) / size**0.5
                outputs.append((scores.softmax(0)[..., None] * values).sum(0).reshape(-1))
            for key in ("keys", "values"):
                final[key].append(torch.stack(slots[key]).reshape(-1))
            # A count: its gradient is zero, which autograd has to be told.
            final["position"].append(s["position"][row].detach() + T + 0 * s["position"][row])
        y = torch.stack(outputs).reshape(B, T, -1) @ p["out/w"].T
        return y, {key: torch.stack(value) for key, value in final.items()}

    return run


def write_attention(writer, features, heads, size, window):
    ring = 1 << (window - 1).bit_length()
    parameters = {"qkv/w": draw(3 * heads * size, features, scale=features**-0.5),
                  "out/w": draw(features, heads * size, scale=(heads * size) ** -0.5)}
    state = {key: draw(B, ring * heads * size) for key in ("keys", "values")}
    state["position"] = torch.tensor([[1.0], [12.0]])
    write_case(writer, f"attention_{features}", parameters, draw(B, T, features), state, attention(heads, window))


def write_bidirectional(writer, kind, keys, inputs, features):
    """h_0 and h_n of both directions, each (2, B, H) in torch."""
    module = kind(inputs, features, batch_first=True, bidirectional=True)
    directions = {"forward": "_l0", "backward": "_l0_reverse"}
    names = {f"{direction}/{name[: -len(suffix)]}": name for direction, suffix in directions.items()
             for name, _ in module.named_parameters() if name.endswith(suffix)}
    parameters = {ours: getattr(module, theirs) for ours, theirs in names.items()}
    with torch.no_grad():
        for value in parameters.values():
            value.copy_(draw(*value.shape, scale=features**-0.5))
    states = {f"{direction}/{key}": draw(B, features) for direction in directions for key in keys}

    def run(p, x, s):
        first = [torch.stack([s[f"{direction}/{key}"] for direction in directions]) for key in keys]
        y, last = module(x, first[0] if len(keys) == 1 else tuple(first))
        last = [last] if len(keys) == 1 else last
        return y, {f"{direction}/{key}": last[k][d] for d, direction in enumerate(directions)
                   for k, key in enumerate(keys)}

    write_case(writer, f"bidirectional_{kind.__name__.lower()}_{inputs}_{features}", parameters, draw(B, T, inputs),
               states, run)


def write_highway(writer, features):
    """Around a minGRU, without a bias, as in PufferLib."""
    parameters = {"inner/" + key: value for key, value in minimal_parameters("zh", features, features).items()}
    parameters["w_p"] = draw(features, features, scale=features**-0.5)

    def run(p, x, s):
        h = min_gru({key.removeprefix("inner/"): value for key, value in p.items()}, x, s["h"], True)
        gate = torch.sigmoid(x @ p["w_p"].T)
        return gate * h + (1 - gate) * x, {"h": h[:, -1]}

    write_case(writer, f"highway_min_gru_{features}", parameters, draw(B, T, features),
               {"h": draw_positive(B, features)}, run)


def write_frame_wise(writer, features):
    """torch.nn.LayerNorm, an RMSNorm of another epsilon, and MLPs with the exact GELU."""
    functional = torch.nn.functional

    def write(name, parameters, run):
        write_case(writer, f"{name}_{features}", parameters, draw(B, T, features), {}, lambda p, x, s: (run(p, x), {}))

    write("layer_norm", {"gain": draw(features), "bias": draw(features)},
          lambda p, x: functional.layer_norm(x, (features,), p["gain"], p["bias"]))
    write("rms_norm_1e-2", {"gain": draw(features)},
          lambda p, x: p["gain"] * x * torch.rsqrt((x**2).mean(-1, keepdim=True) + 1e-2))
    inner = 2 * features + 1
    for name, rows in (("mlp_exact_gelu", inner), ("mlp_exact_gated", 2 * inner)):
        parameters = {"w_in": draw(rows, features, scale=features**-0.5), "b_in": draw(rows),
                      "w_out": draw(features, inner, scale=inner**-0.5), "b_out": draw(features)}

        def run(p, x, gated=rows != inner):
            u = functional.linear(x, p["w_in"], p["b_in"])
            a = functional.gelu(u[..., :inner]) * u[..., inner:] if gated else functional.gelu(u)
            return functional.linear(a, p["w_out"], p["b_out"])

        write(name, parameters, run)


def write_activations(writer, features):
    functional = torch.nn.functional
    for name, function in (
            ("tanh", torch.tanh), ("sigmoid", torch.sigmoid), ("relu", torch.relu), ("elu", functional.elu),
            ("gelu", lambda x: functional.gelu(x, approximate="tanh")), ("exact_gelu", functional.gelu),
            ("silu", functional.silu), ("softmax", lambda x: functional.softmax(x, -1))):
        write_case(writer, f"{name}_{features}", {}, draw(B, T, features, scale=2.0), {},
                   lambda p, x, s, function=function: (function(x), {}))


def write_conv1d(writer, features, outputs, kernel, dilation):
    """torch.nn.Conv1d over the frames of a tail, oldest first, and those of x. Ours has the tap before the feature."""
    parameters = {"1/w": draw(outputs, kernel * features, scale=(kernel * features) ** -0.5), "1/b": draw(outputs)}
    earlier = (kernel - 1) * dilation
    module = torch.nn.Conv1d(features, outputs, kernel, dilation=dilation)

    def run(p, x, s):
        seen = torch.cat([s["0/tail"].reshape(B, earlier, features), x], 1)
        weight = p["1/w"].reshape(outputs, kernel, features).transpose(1, 2)
        assert weight.shape == module.weight.shape
        y = torch.nn.functional.conv1d(seen.transpose(1, 2), weight, p["1/b"], dilation=dilation)
        return y.transpose(1, 2), {"0/tail": seen[:, T:].reshape(B, -1)}

    write_case(writer, f"conv1d_{features}", parameters, draw(B, T, features), {"0/tail": draw(B, earlier * features)},
               run)


def write_prelu(writer, features):
    """The channels of torch.nn.PReLU are the second dimension."""
    write_case(writer, f"prelu_{features}", {"alpha": draw(features)}, draw(B, T, features), {},
               lambda p, x, s: (torch.nn.functional.prelu(x.transpose(1, 2), p["alpha"]).transpose(1, 2), {}))


def main():
    torch.manual_seed(20241001)
    layers = Writer(HERE / "layers.txt")
    write_layers(layers, 5, 7)
    write_layers(layers, 8, 16)
    adam = Writer(HERE / "adam.txt")
    write_adam(adam, "adam", 0)
    write_adam(adam, "adamw", 0.1)
    blocks = Writer(HERE / "blocks.txt")
    write_mamba(blocks, 5, inner=10, states=3, taps=4, rank=2)
    write_mamba(blocks, 8, inner=16, states=4, taps=3, rank=1)
    write_attention(blocks, 5, heads=2, size=4, window=4)
    write_attention(blocks, 8, heads=1, size=16, window=6)
    # What came later draws later, so that what was there stays as it is.
    write_signed(layers, 5, 7)
    write_signed(layers, 8, 16)
    write_diagonal(layers, 5, 7)
    write_diagonal(layers, 8, 16)
    write_rg_lru(layers, 5, 7)
    write_rg_lru(layers, 8, 16)
    # A seed of its own: what is added to the files above changes nothing here.
    torch.manual_seed(20241002)
    compose = Writer(HERE / "compose.txt")
    for kind, keys in ((torch.nn.GRU, ["h"]), (torch.nn.LSTM, ["h", "c"])):
        write_bidirectional(compose, kind, keys, 5, 7)
        write_bidirectional(compose, kind, keys, 8, 8)
    write_highway(compose, 5)
    write_highway(compose, 8)
    torch.manual_seed(20241003)
    frames = Writer(HERE / "frames.txt")
    write_frame_wise(frames, 5)
    write_frame_wise(frames, 8)
    write_activations(frames, 5)
    write_activations(frames, 8)
    write_conv1d(frames, 5, outputs=7, kernel=3, dilation=2)
    write_conv1d(frames, 8, outputs=16, kernel=4, dilation=1)
    write_prelu(frames, 5)
    write_prelu(frames, 8)


main()
