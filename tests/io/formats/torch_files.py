#!/usr/bin/env python3
# SPDX-FileCopyrightText: The minrnn authors
# SPDX-License-Identifier: MIT
"""Weights as PyTorch has them, and what they compute, for formats_test.cpp.

torch_files.py write DIR    DIR/NAME.safetensors (weights), DIR/NAME.run.safetensors (x and y), for float and double
torch_files.py compare DIR  exits with 1 where a DIR/NAME.back.safetensors has not the bits of DIR/NAME.safetensors

The first needs torch and exits with 77 where it is missing; the second needs Python alone. Models of others than
PyTorch are stated again here, from their equations.
"""
import json
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
import safetensors_files

T, B = 9, 3


def write_json(path, document):
    path.write_text(json.dumps(document))


def numbers_of(value):
    """All numbers of nested lists, in their order, as floats of 32 bits."""
    if isinstance(value, list):
        return b"".join(map(numbers_of, value))
    return struct.pack("<f", value)


def compare_json(there, back, path=""):
    """The same keys in the same order, the same texts, the same floats."""
    if isinstance(there, dict):
        if list(there) != list(back):
            sys.exit(f"{path}: {list(there)} became {list(back)}")
        for key in there:
            compare_json(there[key], back[key], f"{path}/{key}")
    elif isinstance(there, list) and there and not isinstance(there[0], dict):
        if None not in there and numbers_of(there) != numbers_of(back):
            sys.exit(f"{path} has changed")
    elif isinstance(there, list):
        for i, (a, b) in enumerate(zip(there, back, strict=True)):
            compare_json(a, b, f"{path}/{i}")
    elif there != back:
        sys.exit(f"{path}: {there} became {back}")


def write_file(path, tensors):
    names = {"float32": "F32", "float64": "F64", "int64": "I64"}
    arrays = {name: tensor.detach().contiguous().numpy() for name, tensor in tensors.items()}
    safetensors_files.write(path, {name: (names[str(array.dtype)], array.shape, array.tobytes())
                                   for name, array in arrays.items()})


def compare(folder):
    if not list(folder.glob("*.back.*")):
        sys.exit(f"{folder}: nothing to compare")
    for name in [path.name.removesuffix(".back.safetensors") for path in folder.glob("*.back.safetensors")]:
        there, back = (safetensors_files.read(folder / f"{name}{end}.safetensors") for end in ("", ".back"))
        if there.keys() != back.keys():
            sys.exit(f"{name}: {sorted(there)} became {sorted(back)}")
        for tensor in there:
            if there[tensor] != back[tensor]:
                sys.exit(f"{name}: {tensor} has changed")
    for path in folder.glob("*.back.json"):
        there = path.with_name(path.name.replace(".back", ""))
        compare_json(json.loads(there.read_text()), json.loads(path.read_text()), path.name)
    for path in folder.glob("*.back.bin"):
        if path.read_bytes() != path.with_name(path.name.replace(".back", "")).read_bytes():
            sys.exit(f"{path.name} has changed")


def make_cases(torch):
    nn, functional = torch.nn, torch.nn.functional

    def g(x):
        return torch.where(x >= 0, x + 0.5, x.sigmoid())

    class RmsNorm(nn.Module):
        def __init__(self, features, eps=None):
            super().__init__()
            self.weight, self.eps = nn.Parameter(torch.randn(features)), eps

        def forward(self, x):
            eps = self.eps or torch.finfo(x.dtype).eps
            return self.weight * x * (x.square().mean(-1, keepdim=True) + eps).rsqrt()

    class Minimal(nn.Module):
        """minGRU or minLSTM of minGRU-pytorch: one fused projection without a bias, positive candidate."""

        def __init__(self, features, inner, lstm, projects):
            super().__init__()
            self.lstm = lstm
            name = "to_hidden_and_f_i_gate" if lstm else "to_hidden_and_gate"
            self.add_module(name, nn.Linear(features, (3 if lstm else 2) * inner, bias=False))
            if projects:
                self.to_out = nn.Linear(inner, features, bias=False)

        def forward(self, x):
            if self.lstm:
                h, f, i = self.to_hidden_and_f_i_gate(x).chunk(3, -1)
                f, i = f.sigmoid(), i.sigmoid()
                f, i = f / (f + i), i / (f + i)
            else:
                h, z = self.to_hidden_and_gate(x).chunk(2, -1)
                f, i = 1 - z.sigmoid(), z.sigmoid()
            state, states = torch.zeros_like(h[:, 0]), []
            for t in range(x.shape[1]):
                state = f[:, t] * state + i[:, t] * g(h[:, t])
                states.append(state)
            y = torch.stack(states, 1)
            return self.to_out(y) if hasattr(self, "to_out") else y

    class Convolution(nn.Module):
        """Depthwise over the past, then of one tap."""

        def __init__(self, features, taps, dilation=1):
            super().__init__()
            self.span = (taps - 1) * dilation
            self.net = nn.Sequential(nn.Conv1d(features, features, taps, groups=features, dilation=dilation),
                                     nn.Conv1d(features, features, 1))

        def forward(self, x):
            return self.net(functional.pad(x.transpose(1, 2), (self.span, 0))).transpose(1, 2)

    class DenseConvolution(nn.Module):
        """All features with all over the past, then those of two frames."""

        def __init__(self, features, hidden, taps, dilation):
            super().__init__()
            self.span = (taps - 1) * dilation
            self.net = nn.Sequential(nn.Conv1d(features, hidden, taps, dilation=dilation), nn.PReLU(hidden),
                                     nn.Conv1d(hidden, 2, 2, bias=False))

        def forward(self, x):
            hidden = self.net[1](self.net[0](functional.pad(x.transpose(1, 2), (self.span, 0))))
            return self.net[2](functional.pad(hidden, (1, 0))).transpose(1, 2)

    class Mamba(nn.Module):
        def __init__(self, features, states, taps, rank):
            super().__init__()
            inner = 2 * features
            self.in_proj = nn.Linear(features, 2 * inner, bias=False)
            self.conv1d = nn.Conv1d(inner, inner, taps, groups=inner)
            self.x_proj = nn.Linear(inner, rank + 2 * states, bias=False)
            self.dt_proj = nn.Linear(rank, inner)
            self.A_log = nn.Parameter(torch.randn(inner, states) / 2)
            self.D = nn.Parameter(torch.randn(inner))
            self.out_proj = nn.Linear(inner, features, bias=False)
            self.sizes = [rank, states, states]

        def forward(self, x):
            u, gate = self.in_proj(x).chunk(2, -1)
            past = functional.pad(u.transpose(1, 2), (self.conv1d.kernel_size[0] - 1, 0))
            u = functional.silu(self.conv1d(past).transpose(1, 2))
            delta, b, c = self.x_proj(u).split(self.sizes, -1)
            delta, a = functional.softplus(self.dt_proj(delta)), -self.A_log.exp()
            h, outputs = torch.zeros(B, *a.shape), []
            for t in range(T):
                h = (delta[:, t, :, None] * a).exp() * h + (delta[:, t] * u[:, t])[..., None] * b[:, t, None]
                outputs.append((h * c[:, t, None]).sum(-1))
            return self.out_proj((torch.stack(outputs, 1) + self.D * u) * functional.silu(gate))

    class MambaLm(nn.Module):
        def __init__(self, vocabulary, features, layers, original):
            super().__init__()
            self.backbone = nn.Module()
            embedding = nn.Embedding(vocabulary, features)
            self.backbone.add_module("embedding" if original else "embeddings", embedding)
            self.backbone.layers = nn.ModuleList([nn.ModuleDict({
                "norm": RmsNorm(features, 1e-5), "mixer": Mamba(features, 4, 3, 2)}) for _ in range(layers)])
            self.backbone.norm_f = RmsNorm(features, 1e-5)
            if original:
                self.lm_head = nn.Linear(features, vocabulary, bias=False)
            self.embed = [embedding]  # not a module of its own

        def forward(self, tokens):
            x = self.embed[0](tokens[..., 0])
            for layer in self.backbone.layers:
                x = x + layer["mixer"](layer["norm"](x))
            x = self.backbone.norm_f(x)
            return self.lm_head(x) if hasattr(self, "lm_head") else x @ self.embed[0].weight.T

    def mlp(features, inner):
        return nn.Sequential(nn.Linear(features, inner), nn.GELU(), nn.Linear(inner, features))

    class MinLm(nn.Module):
        def __init__(self, vocabulary, features, inner, layers, lstm, projects, convolves):
            super().__init__()
            self.token_emb = nn.Embedding(vocabulary, features)
            self.layers = nn.ModuleList([nn.ModuleList([
                Convolution(features, 3) if convolves else None, RmsNorm(features),
                Minimal(features, inner, lstm, projects), RmsNorm(features), mlp(features, 4 * features)])
                for _ in range(layers)])
            self.norm = RmsNorm(features)
            self.to_logits = nn.Linear(features, vocabulary, bias=False)

        def forward(self, tokens):
            x = self.token_emb(tokens[..., 0])
            for convolution, norm, mixer, feed_norm, feed in self.layers:
                if convolution is not None:
                    x = convolution(x) + x
                x = mixer(norm(x)) + x
                x = feed(feed_norm(x)) + x
            return self.to_logits(self.norm(x))

    class GammaNorm(nn.Module):
        def __init__(self, features):
            super().__init__()
            self.gamma = nn.Parameter(torch.randn(features))

        def forward(self, x):
            return functional.normalize(x, dim=-1) * x.shape[-1]**0.5 * (self.gamma + 1)

    class OfficialMixer(nn.Module):
        def __init__(self, features, inner, lstm):
            super().__init__()
            self.lstm = lstm
            self.to_hidden_and_gate = nn.Linear(features, (3 if lstm else 2) * inner)
            self.to_out = nn.Linear(inner, features)
            self.init_hidden_state = nn.Parameter(torch.randn(inner))

        def forward(self, x):
            h, f, *i = self.to_hidden_and_gate(x).chunk(3 if self.lstm else 2, -1)
            f, i = (f.sigmoid(), i[0].sigmoid()) if self.lstm else (1 - f.sigmoid(), f.sigmoid())
            state, states = g(self.init_hidden_state), []
            for t in range(x.shape[1]):
                state = f[:, t] * state + i[:, t] * g(h[:, t])
                states.append(state)
            return self.to_out(torch.stack(states, 1))

    class GatedGelu(nn.Module):
        def __init__(self, features):
            super().__init__()
            self.mult_bias = nn.Parameter(torch.randn(features))

        def forward(self, x):
            x, gate = x.chunk(2, -1)
            return functional.gelu(gate) * x * self.mult_bias

    class OfficialModel(nn.Module):
        def __init__(self, vocabulary, features, inner, lstm):
            super().__init__()
            self.token_emb = nn.Embedding(vocabulary, features)
            self.layers = nn.ModuleList([nn.ModuleList([
                Convolution(features, 3), GammaNorm(features), OfficialMixer(features, inner, lstm),
                GammaNorm(features), nn.Sequential(nn.Linear(features, 4 * features), GatedGelu(2 * features),
                                                   nn.Linear(2 * features, features))]) for _ in range(2)])
            self.norm = GammaNorm(features)
            self.to_out = nn.Linear(features, vocabulary, bias=False)

        def forward(self, tokens):
            x = self.token_emb(tokens[..., 0])
            for convolution, norm, mixer, feed_norm, feed in self.layers:
                x = convolution(x) + x
                x = mixer(norm(x)) + x
                x = feed(feed_norm(x)) + x
            return self.to_out(self.norm(x))

    class Recurrent(nn.Module):
        def __init__(self, kind, *sizes, **options):
            super().__init__()
            self.rnn = kind(*sizes, batch_first=True, **options)
            self.fc = nn.Linear(sizes[1] * (2 if options.get("bidirectional") else 1), 2)

        def forward(self, x):
            return self.fc(self.rnn(x)[0])

    def frames(features):
        return torch.randn(B, T, features)

    def tokens(vocabulary):
        return torch.randint(vocabulary, (B, T, 1))

    return {
        "gru": (nn.GRU(5, 7, batch_first=True), frames(5)),
        "lstm": (nn.LSTM(5, 7, batch_first=True), frames(5)),
        "lstm_without_bias": (nn.LSTM(5, 7, bias=False, batch_first=True), frames(5)),
        "lstm_of_two_layers": (Recurrent(nn.LSTM, 5, 7, num_layers=2), frames(5)),
        "bidirectional_gru": (Recurrent(nn.GRU, 5, 6, num_layers=2, bidirectional=True, bias=False), frames(5)),
        "bidirectional_lstm": (Recurrent(nn.LSTM, 5, 6, bidirectional=True), frames(5)),
        "projected_lstm": (nn.LSTM(5, 7, proj_size=3, batch_first=True), frames(5)),
        "frame_wise": (nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6), mlp(6, 9), RmsNorm(6),
                                     nn.Linear(6, 6, bias=False)), frames(5)),
        "convolution": (Convolution(5, 4), frames(5)),
        "dilated_convolution": (Convolution(5, 3, 4), frames(5)),
        "dense_convolution": (DenseConvolution(5, 7, 3, 2), frames(5)),
        "min_gru": (Minimal(5, 5, False, False), frames(5)),
        "min_lstm": (Minimal(5, 5, True, False), frames(5)),
        "projected_min_gru": (Minimal(5, 7, False, True), frames(5)),
        "official_min_gru": (OfficialModel(11, 8, 12, False), tokens(11)),
        "official_min_lstm": (OfficialModel(11, 8, 12, True), tokens(11)),
        "mamba": (MambaLm(11, 8, 2, False), tokens(11)),
        "original_mamba": (MambaLm(11, 8, 2, True), tokens(11)),
        "min_lm": (MinLm(11, 8, 12, 2, False, True, False), tokens(11)),
        "min_lm_of_min_lstm": (MinLm(11, 8, 8, 2, True, False, True), tokens(11)),
    }


def write_documents(torch, folder):
    """Files of JSON, and a flat one, of float alone."""
    nn = torch.nn

    def run(name, x, y):
        write_file(folder / f"{name}.run.safetensors", {"x": x, "y": y})

    def turned(weight):
        return weight.T.tolist()

    def keras_order(weight):
        """Rows r, z, n as z, r, h."""
        r, z, n = weight.chunk(3)
        return torch.cat([z, r, n])

    x = torch.randn(B, T, 2)
    lstm, gru = nn.LSTM(2, 6, batch_first=True), nn.GRU(6, 5, batch_first=True)
    denses = nn.Sequential(nn.Linear(5, 4), nn.Sigmoid(), nn.Linear(4, 4), nn.ELU(), nn.Linear(4, 3, bias=False),
                           nn.Softmax(-1), nn.Linear(3, 2))

    def dense(kind, size, index, activation=""):
        linear = denses[index]
        biases = [] if linear.bias is None else [linear.bias.tolist()]
        return {"type": kind, "activation": activation, "shape": [None, None, size],
                "weights": [turned(linear.weight), *biases]}

    def activation(name, size):
        return {"type": "activation", "activation": name, "shape": [None, None, size], "weights": []}

    layers = [
        {"type": "lstm", "activation": "tanh", "shape": [None, None, 6], "weights": [
            turned(lstm.weight_ih_l0), turned(lstm.weight_hh_l0), (lstm.bias_ih_l0 + lstm.bias_hh_l0).tolist()]},
        {"type": "gru", "activation": "tanh", "shape": [None, None, 5], "weights": [
            turned(keras_order(gru.weight_ih_l0)), turned(keras_order(gru.weight_hh_l0)),
            [keras_order(gru.bias_ih_l0).tolist(), keras_order(gru.bias_hh_l0).tolist()]]},
        dense("dense", 4, 0, "sigmoid"), dense("dense", 4, 2), activation("elu", 4),
        dense("dense", 3, 4, "softmax"), dense("time-distributed-dense", 2, 6)]
    write_json(folder / "rtneural.json", {"in_shape": [None, None, 2], "layers": layers})
    run("rtneural", x, denses(gru(lstm(x)[0])[0]))

    x = torch.randn(B, T, 1)
    lstm, head = nn.LSTM(1, 6, num_layers=2, batch_first=True), nn.Linear(6, 1)
    state = {f"rec.{name}": value.tolist() for name, value in lstm.named_parameters()}
    state |= {"lin.weight": head.weight.tolist(), "lin.bias": head.bias.tolist()}
    data = {"model": "SimpleRNN", "input_size": 1, "skip": 1, "output_size": 1, "unit_type": "LSTM", "num_layers": 2,
            "hidden_size": 6, "bias_fl": True}
    write_json(folder / "guitar_amp.json", {"model_data": data, "state_dict": state})
    run("guitar_amp", x, x + head(lstm(x)[0]))

    first = torch.randn(2, 2, 1, 6)  # h and c of both layers
    weights = []
    for l in range(2):
        w_ih, w_hh, b_ih, b_hh = (getattr(lstm, f"{name}_l{l}") for name in
                                  ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
        weights += [torch.cat([w_ih, w_hh], 1), b_ih + b_hh, first[0, l], first[1, l]]
    weights += [head.weight, head.bias]
    write_json(folder / "nam.json", {
        "version": "0.5.4", "architecture": "LSTM",
        "config": {"input_size": 1, "hidden_size": 6, "num_layers": 2},
        "weights": torch.cat([weight.reshape(-1) for weight in weights]).tolist(), "sample_rate": 48000})
    states = tuple(value.expand(2, B, 6).contiguous() for value in first)
    run("nam", x, head(lstm(x, states)[0]))

    x = torch.randn(B, T, 3)
    encoder, decoder = torch.randn(7, 3) / 2, torch.randn(5, 7) / 2
    log_std, layers = torch.randn(4), [torch.randn(21, 7) / 2 for _ in range(2)]
    data = b""
    for weight in [encoder, decoder, log_std, *layers]:
        data += weight.numpy().tobytes()
        data += bytes(-len(data) % 32)
    (folder / "puffer.bin").write_bytes(data)
    y = x @ encoder.T
    for weight in layers:
        h, gate, way = (y @ weight.T).chunk(3, -1)
        z, h = gate.sigmoid(), torch.where(h >= 0, h + 0.5, h.sigmoid())
        state, outputs = torch.zeros(B, 7), []
        for t in range(T):
            state = state + z[:, t] * (h[:, t] - state)
            outputs.append(state)
        y = way.sigmoid() * torch.stack(outputs, 1) + (1 - way.sigmoid()) * y
    run("puffer", x, y @ decoder.T)


def write(folder):
    try:
        import torch
    except ImportError:
        sys.exit(77)
    torch.set_num_threads(1)
    for kind, dtype in (("float", torch.float32), ("double", torch.float64)):
        torch.set_default_dtype(dtype)
        torch.manual_seed(1)
        for name, (module, x) in make_cases(torch).items():
            with torch.no_grad():
                y = module(x)
            y = y[0] if isinstance(y, tuple) else y
            write_file(folder / f"{name}.{kind}.safetensors", module.state_dict())
            write_file(folder / f"{name}.{kind}.run.safetensors", {"x": x, "y": y})
    torch.set_default_dtype(torch.float32)
    with torch.no_grad():
        write_documents(torch, folder)


if __name__ == "__main__":
    {"write": write, "compare": compare}[sys.argv[1]](pathlib.Path(sys.argv[2]))
