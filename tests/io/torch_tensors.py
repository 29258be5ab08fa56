# SPDX-FileCopyrightText: The minrnn authors
# SPDX-License-Identifier: MIT
"""Tensors of PyTorch's in a safetensors file, both ways, for torch_test.cpp. Ends with 77 where there is no PyTorch.

torch_tensors.py write FILE   writes tensors of every type, and what PyTorch makes of the short ones as float32
torch_tensors.py check FILE   ends with 0 where the tensors "bf16", "f16" and "f64" are what PyTorch makes of "f32"
"""
import sys

try:
    import torch
except ImportError:
    sys.exit(77)

import safetensors_files

TYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
         "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8, "U8": torch.uint8,
         "BOOL": torch.bool}


def bytes_of(tensor):
    tensor = tensor.contiguous()
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.view(torch.int16)
    return tensor.numpy().tobytes()


def write(path, tensors):
    names = {dtype: name for name, dtype in TYPES.items()}
    safetensors_files.write(path, {name: (names[tensor.dtype], tensor.shape, bytes_of(tensor))
                                   for name, tensor in tensors.items()}, {"format": "pt"})


def read(path):
    return {name: torch.frombuffer(bytearray(content), dtype=TYPES[dtype]).reshape(shape)
            for name, (dtype, shape, content) in safetensors_files.read(path).items()}


def numbers():
    """Floats of every size that float16 reaches, many of them ties."""
    torch.manual_seed(1)
    random = torch.randn(2000) * torch.exp2(torch.randint(-30, 12, (2000,)).float())
    every = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(torch.float16).float()
    every = every[torch.isfinite(every) & (every.abs() < 65504)]
    ties = every[::7] + torch.exp2(torch.floor(torch.log2(every[::7].abs().clamp(min=2.0 ** -14))) - 11)
    wide = torch.arange(0, 65536, 3, dtype=torch.int32).bitwise_left_shift(13).view(torch.float32)
    wide = wide[torch.isfinite(wide) & (wide.abs() < 65504)]
    return torch.cat([random, every, ties, -ties, wide]).contiguous()


def main(command, path):
    if command == "write":
        f32 = numbers()
        tensors = {"f32": f32, "f16": f32.half(), "bf16": f32.bfloat16(), "f64": f32.double()}
        tensors.update({"f16.as_f32": f32.half().float(), "bf16.as_f32": f32.bfloat16().float()})
        special = torch.tensor([float("inf"), -float("inf"), float("nan"), -0.0])
        tensors.update({"special.f16": special.half(), "special.bf16": special.bfloat16()})
        for name in ("I64", "I32", "I16", "I8", "U8", "BOOL"):
            tensors[name] = torch.tensor([[0, 1], [1, 0], [1, 1]]).to(TYPES[name])
        write(path, tensors)
        return 0
    tensors = read(path)
    f32 = tensors["f32"]
    wanted = {"f16": f32.half(), "bf16": f32.bfloat16(), "f64": f32.double()}
    return 0 if all(bytes_of(tensors[name]) == bytes_of(wanted[name]) for name in wanted) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
