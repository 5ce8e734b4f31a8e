"""Training steps of the three blocks in PyTorch: eager modules, nothing compiled or fused by hand."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import measure
from blocks import DenseBlock, Inception, Transformer


def stepper(model, optimizer, batch):
    x, y = (torch.from_numpy(array) for array in batch)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.mse_loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def fill(module, arrays):
    """Gives a module all the parameters that it has, by name."""
    absent = dict(module.named_parameters()).keys() - arrays.keys()
    if absent:
        raise ValueError(f"no value for {sorted(absent)}")
    given = {name: torch.from_numpy(array) for name, array in arrays.items()}
    module.load_state_dict(module.state_dict() | given)


def affine(layer, name):
    return {f"{name}.weight": layer["scale"], f"{name}.bias": layer["bias"]}


def linear(layer, name):
    return {f"{name}.weight": layer["kernel"].T, f"{name}.bias": layer["bias"]}


def transformer():
    model = nn.TransformerEncoderLayer(
        Transformer.width,
        Transformer.heads,
        Transformer.feed_forward,
        dropout=0.0,
        activation="gelu",
        batch_first=True,
        norm_first=True,
    )
    params = Transformer.params()
    inward = [params[name] for name in ("query", "key", "value")]
    stacked = {
        "self_attn.in_proj_weight": np.concatenate([layer["kernel"].T for layer in inward]),
        "self_attn.in_proj_bias": np.concatenate([layer["bias"] for layer in inward]),
    }
    fill(
        model,
        stacked
        | linear(params["out"], "self_attn.out_proj")
        | affine(params["norm1"], "norm1")
        | affine(params["norm2"], "norm2")
        | linear(params["dense1"], "linear1")
        | linear(params["dense2"], "linear2"),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=Transformer.rate)
    return stepper(model, optimizer, Transformer.batch())


class Unit(nn.Module):
    """A convolution with bias, relu."""

    def __init__(self, layer):
        super().__init__()
        outputs, inputs, window, _ = layer["kernel"].shape
        self.conv = nn.Conv2d(inputs, outputs, window, padding=window // 2)
        fill(self.conv, {"weight": layer["kernel"], "bias": layer["bias"]})

    def forward(self, x):
        return F.relu(self.conv(x), inplace=True)


class InceptionBlock(nn.Module):
    def __init__(self, params):
        super().__init__()
        unit = {name: Unit(layer) for name, layer in params.items()}
        self.one = unit["one"]
        self.three = nn.Sequential(unit["three_reduce"], unit["three"])
        self.five = nn.Sequential(unit["five_reduce"], unit["five"])
        self.pool = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), unit["pool"])

    def forward(self, x):
        return torch.cat([self.one(x), self.three(x), self.five(x), self.pool(x)], 1)


class DenseLayer(nn.Sequential):
    def __init__(self, params):
        bottleneck, inputs, _, _ = params["conv1"].shape
        growth = params["conv2"].shape[0]
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv1 = nn.Conv2d(inputs, bottleneck, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bottleneck)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(bottleneck, growth, 3, padding=1, bias=False)
        kernels = {"conv1.weight": params["conv1"], "conv2.weight": params["conv2"]}
        fill(self, kernels | affine(params["norm1"], "norm1") | affine(params["norm2"], "norm2"))

    def forward(self, x):
        return torch.cat([x, super().forward(x)], 1)


def momentum(model, block):
    return torch.optim.SGD(model.parameters(), lr=block.rate, momentum=block.momentum)


def inception():
    model = InceptionBlock(Inception.params())
    return stepper(model, momentum(model, Inception), Inception.batch())


def dense_block():
    model = nn.Sequential(*(DenseLayer(params) for params in DenseBlock.params()))
    return stepper(model, momentum(model, DenseBlock), DenseBlock.batch())


asked = measure.options()
torch.set_num_threads(asked.threads)
torch.set_num_interop_threads(1)
measure.run(
    asked,
    {"transformer_step": transformer, "inception_step": inception, "dense_step": dense_block},
)
