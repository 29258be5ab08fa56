"""What users would write in PyTorch instead: its GRU and LSTM, the published log-space layers, and a hand-written
linear one."""
import torch
import torch.nn.functional as F


def positive_log(x):
    """log g(x), g(x) = x + 1/2 for x >= 0 and sigmoid(x) below."""
    return torch.where(x >= 0, (F.relu(x) + 0.5).log(), -F.softplus(-x))


def published_scan(log_a, log_b):
    """h from log a and log b, (B, T, H), as the paper's appendix lists it: a cumulative sum and a log-cumsum-exp."""
    a_star = log_a.cumsum(dim=1)
    return (a_star + (log_b - a_star).logcumsumexp(dim=1)).exp()


class PublishedMinGru(torch.nn.Module):
    """The paper's log-space minGRU from h_0 = 0."""

    def __init__(self, size, _):
        super().__init__()
        self.gates = torch.nn.Linear(size, 2 * size)

    def forward(self, x):
        k, h = self.gates(x).chunk(2, dim=-1)
        return published_scan(-F.softplus(k), -F.softplus(-k) + positive_log(h))


class PublishedMinLstm(torch.nn.Module):
    """The paper's log-space minLSTM with normalised gates from h_0 = 0."""

    def __init__(self, size, _):
        super().__init__()
        self.gates = torch.nn.Linear(size, 3 * size)

    def forward(self, x):
        f, i, h = self.gates(x).chunk(3, dim=-1)
        ratio = F.softplus(-f) - F.softplus(-i)
        return published_scan(-F.softplus(ratio), -F.softplus(-ratio) + positive_log(h))


class LinearRecurrence(torch.autograd.Function):
    """h_t = h_{t-1} + z_t (g(v_t) - h_{t-1}) over time-major (T, B, H), forward and backward by hand, in place."""

    @staticmethod
    def forward(context, k, v):
        z = torch.sigmoid(k)
        h_tilde = torch.where(v >= 0, v + 0.5, torch.sigmoid(v))
        h = torch.empty_like(z)
        before = torch.zeros_like(z[0])
        for t in range(z.shape[0]):
            before = torch.lerp(before, h_tilde[t], z[t], out=h[t])
        context.save_for_backward(z, h_tilde, h)
        return h

    @staticmethod
    def backward(context, dh):
        z, h_tilde, h = context.saved_tensors
        keep = 1 - z
        delta = dh.clone()
        for t in range(z.shape[0] - 2, -1, -1):
            delta[t].addcmul_(keep[t + 1], delta[t + 1])
        difference = h_tilde.clone()
        difference[1:] -= h[:-1]
        through = delta * z
        slope = torch.where(h_tilde < 0.5, h_tilde * (1 - h_tilde), torch.ones((), dtype=h_tilde.dtype))
        return difference.mul_(through).mul_(keep), through.mul_(slope)


class LinearMinGru(torch.nn.Module):
    """minGRU in linear space as a careful PyTorch user would write it: one product, one hand-written recurrence."""

    time_major = True

    def __init__(self, size, _):
        super().__init__()
        self.gates = torch.nn.Linear(size, 2 * size)

    def forward(self, x):
        k, v = self.gates(x).chunk(2, dim=-1)
        return LinearRecurrence.apply(k, v)


class CausalAttention(torch.nn.Module):
    """Heads of 64 features with rotary positions, composed of PyTorch's own operations; it stores the (T, T) scores."""

    def __init__(self, size, _):
        super().__init__()
        self.heads = max(size // 64, 1)
        self.qkv = torch.nn.Linear(size, 3 * size, bias=False)
        self.out = torch.nn.Linear(size, size, bias=False)

    def forward(self, x):
        batch, time, size = x.shape
        q, k, v = self.qkv(x).view(batch, time, 3, self.heads, size // self.heads).permute(2, 0, 3, 1, 4)
        half = q.shape[-1] // 2
        angle = torch.arange(time)[:, None] * 10000.0 ** (-torch.arange(half) / half)
        c, s = angle.cos(), angle.sin()
        turn = lambda u: torch.cat([u[..., :half] * c - u[..., half:] * s, u[..., :half] * s + u[..., half:] * c], -1)
        future = torch.ones(time, time, dtype=torch.bool).triu(1)
        scores = (turn(q * q.shape[-1] ** -0.5) @ turn(k).transpose(-1, -2)).masked_fill_(future, -torch.inf)
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, time, size))


def reference_selective_scan(u, raw, gate, b, c, a, skip):
    """The (D, N) expansion for all T, then a loop over time, as the official selective_scan_ref."""
    delta = F.softplus(raw)
    decay = torch.exp(delta[..., None] * a)
    value = (delta * u)[..., None] * b[:, :, None]
    h, steps = 0, []
    for a_t, b_t, c_t in zip(decay.unbind(1), value.unbind(1), c.unbind(1)):  # an index would cost O(T^2) backward
        h = a_t * h + b_t
        steps.append((h * c_t[:, None]).sum(-1))
    return (torch.stack(steps, 1) + skip * u) * F.silu(gate)


class Mamba(torch.nn.Module):
    """The Mamba block with the reference selective scan."""

    def __init__(self, size, _, states=16):
        super().__init__()
        inner, rank = 2 * size, (size + 15) // 16
        self.states, self.rank = states, rank
        self.into = torch.nn.Linear(size, 2 * inner, bias=False)
        self.conv = torch.nn.Conv1d(inner, inner, 4, groups=inner, padding=3)
        self.select = torch.nn.Linear(inner, rank + 2 * states, bias=False)
        self.delta = torch.nn.Linear(rank, inner)
        self.a_log = torch.nn.Parameter(torch.arange(1.0, states + 1).log().repeat(inner, 1))
        self.skip = torch.nn.Parameter(torch.ones(inner))
        self.out = torch.nn.Linear(inner, size, bias=False)

    def forward(self, x):
        u, z = self.into(x).chunk(2, -1)
        u = F.silu(self.conv(u.transpose(1, 2))[..., : x.shape[1]].transpose(1, 2))
        delta, b, c = self.select(u).split([self.rank, self.states, self.states], -1)
        return self.out(reference_selective_scan(u, self.delta(delta), z, b, c, -self.a_log.exp(), self.skip))


class SelectiveScan(torch.nn.Module):
    """The reference scan alone: x is u; step sizes, gate, B and C are drawn once and have gradients."""

    def __init__(self, size, _, states=16):
        super().__init__()
        self.a = torch.nn.Parameter(-torch.ones(size, states))
        self.skip = torch.nn.Parameter(torch.ones(size))
        self.others = None

    def forward(self, x):
        if self.others is None:
            states = self.a.shape[1]
            self.others = torch.nn.ParameterList([torch.randn_like(x), torch.randn_like(x),
                                                  *(torch.randn(*x.shape[:2], states) for _ in "BC")])
        return reference_selective_scan(x, *self.others, self.a, self.skip)


class Recurrent(torch.nn.Module):
    def __init__(self, size, kind):
        super().__init__()
        self.layer = kind(size, size, batch_first=True)

    def forward(self, x):
        return self.layer(x)[0]


LAYERS = {
    "nn.GRU": (Recurrent, torch.nn.GRU),
    "nn.LSTM": (Recurrent, torch.nn.LSTM),
    "published minGRU": (PublishedMinGru, None),
    "published minLSTM": (PublishedMinLstm, None),
    "hand-written minGRU": (LinearMinGru, None),
    "attention": (CausalAttention, None),
    "Mamba": (Mamba, None),
    "selective scan": (SelectiveScan, None),
}


class Step:
    """One training step: gradients to zero, forward, backward with dx."""

    def __init__(self, name, shape):
        size, batch, time = shape
        torch.manual_seed(1)
        make, kind = LAYERS[name]
        self.layer = make(size, kind)
        dims = (time, batch, size) if getattr(self.layer, "time_major", False) else (batch, time, size)
        self.x = torch.randn(dims).requires_grad_()
        self.dy = torch.randn(dims)

    def __call__(self):
        self.layer.zero_grad(set_to_none=False)
        self.x.grad = None
        self.layer(self.x).backward(self.dy)


class RmsNorm(torch.nn.Module):
    def __init__(self, size):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-6) * self.gain


class Block(torch.nn.Module):
    """The block of the paper's language model around the published minGRU."""

    def __init__(self, size, expansion=2, kernel=4):
        super().__init__()
        inner = expansion * size
        self.norm, self.feed_norm = RmsNorm(size), RmsNorm(size)
        self.conv = torch.nn.Conv1d(size, size, kernel, groups=size, padding=kernel - 1)
        self.gates = torch.nn.Linear(size, 2 * inner)
        self.down = torch.nn.Linear(inner, size)
        self.mlp = torch.nn.Sequential(torch.nn.Linear(size, 4 * size), torch.nn.GELU(),
                                       torch.nn.Linear(4 * size, size))

    def forward(self, x):
        y = self.conv(self.norm(x).transpose(1, 2))[..., : x.shape[1]].transpose(1, 2)
        k, h = self.gates(y).chunk(2, dim=-1)
        x = x + self.down(published_scan(-F.softplus(k), -F.softplus(-k) + positive_log(h)))
        return x + self.mlp(self.feed_norm(x))


class ModelStep:
    """A training step of the language model of model_bench: forward, loss, backward, clipping, AdamW."""

    def __init__(self, shape, vocabulary=65, layers=3):
        size, batch, time = shape
        torch.manual_seed(1)
        self.model = torch.nn.Sequential(torch.nn.Embedding(vocabulary, size), *(Block(size) for _ in range(layers)),
                                         RmsNorm(size), torch.nn.Linear(size, vocabulary, bias=False))
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-3, weight_decay=0.05)
        self.tokens = torch.randint(vocabulary, (batch, time))
        self.targets = torch.randint(vocabulary, (batch, time))

    def __call__(self):
        self.optimizer.zero_grad(set_to_none=False)
        F.cross_entropy(self.model(self.tokens).flatten(0, 1), self.targets.flatten()).backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
