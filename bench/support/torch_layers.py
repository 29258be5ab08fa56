"""What users would write in PyTorch instead: its GRU and LSTM, the published log-space layers, and a hand-written linear one."""
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
        self.mlp = torch.nn.Sequential(torch.nn.Linear(size, 4 * size), torch.nn.GELU(), torch.nn.Linear(4 * size, size))

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
