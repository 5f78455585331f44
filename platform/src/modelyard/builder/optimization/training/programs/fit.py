"""One training loop: the student learns the targets (hard) and the teacher's answers (soft).

    classes    hard * cross entropy  +  soft * T^2 * KL(teacher / T || student / T)      (Hinton et al. 2015)
    numbers    hard * mean square    +  soft * mean square to the teacher

AdamW with one cycle of the learning rate. The teacher is asked once for all rows, before the first step.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .authored import Rows

EpochCallback = Callable[[int, float], None]
"""Called after an epoch, counted from 1, with its mean loss."""


@dataclass(frozen=True)
class TrainingPlan:
    """How to train: rows of a step, the largest learning rate, and how much the two losses count."""

    epochs: int
    batch: int
    rate: float
    seed: int
    temperature: float = 4.0
    hard: float = 0.3
    soft: float = 0.7


def plan_of(recipe: Mapping[str, Any], epochs: int) -> TrainingPlan:
    """The plan of a recipe for so many epochs; without `distill` its defaults for temperature and losses."""
    distill = recipe["distill"] or {"temperature": 4.0, "weights": {"hard": 0.3, "soft": 0.7}}
    return TrainingPlan(
        epochs=epochs,
        batch=recipe["batch"],
        rate=recipe["rate"],
        seed=recipe["seed"],
        temperature=distill["temperature"],
        hard=distill["weights"]["hard"],
        soft=distill["weights"]["soft"],
    )


def fit(
    student: nn.Module,
    answers: Tensor,
    rows: Rows,
    plan: TrainingPlan,
    on_epoch: EpochCallback,
    after: Callable[[], None] = lambda: None,
) -> list[float]:
    """Trains STUDENT in place on the teacher's `answers` [rows, ...]; gives the mean loss of every epoch.

    `after` is called after every step (a mask puts its zeros back there). ValueError when the loss is no number.
    """
    torch.manual_seed(plan.seed)
    optimizer = torch.optim.AdamW(student.parameters(), lr=plan.rate)
    steps = plan.epochs * -(-len(rows) // plan.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, plan.rate, total_steps=steps)
    history = []
    student.train()
    for epoch in range(1, plan.epochs + 1):
        total = 0.0
        for chosen in _batches(len(rows), plan.batch):
            predicted = student(*(array[chosen] for array in rows.inputs))
            loss = loss_of(predicted, answers[chosen], rows.targets[chosen], plan)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            after()
            schedule.step()
            total += loss.item() * len(chosen)
        history.append(total / len(rows))
        if not torch.isfinite(torch.tensor(history[-1])):
            raise ValueError("the loss became infinite or no number; make `rate` smaller")
        on_epoch(epoch, history[-1])
    student.eval()
    return history


def loss_of(predicted: Tensor, taught: Tensor, targets: Tensor, plan: TrainingPlan) -> Tensor:
    """The loss of one batch ([] tensor): hard and soft as the module's docstring says.

    `predicted` and `taught` (the teacher's) are [rows, ...]; `targets` are classes [rows], or numbers [rows, ...].
    """
    if targets.is_floating_point():
        hard = functional.mse_loss(predicted, targets.reshape(predicted.shape))
        soft = functional.mse_loss(predicted, taught)
    else:
        student = functional.log_softmax(predicted / plan.temperature, dim=-1)
        teacher = functional.log_softmax(taught / plan.temperature, dim=-1)
        hard = functional.cross_entropy(predicted, targets)
        soft = plan.temperature**2 * functional.kl_div(student, teacher, log_target=True, reduction="batchmean")
    return plan.hard * hard + plan.soft * soft


def answered(network: nn.Module, inputs: tuple[Tensor, ...], batch: int = 256) -> Tensor:
    """A network's answers to all rows, [rows, ...], without gradients; ValueError when it gives several tensors."""
    network.eval()
    with torch.no_grad():
        batches = [
            network(*(array[start : start + batch] for array in inputs)) for start in range(0, len(inputs[0]), batch)
        ]
    if not isinstance(batches[0], Tensor):
        raise ValueError("the module gives several outputs; only one tensor can be learnt")
    return torch.cat(batches)


def score(network: nn.Module, rows: Rows) -> float:
    """Larger is better: the share of right classes, or the negative mean square error."""
    predicted = answered(network, rows.inputs)
    if rows.are_classes:
        return (predicted.argmax(dim=-1) == rows.targets).double().mean().item()
    return -functional.mse_loss(predicted, rows.targets.reshape(predicted.shape)).item()


def _batches(rows: int, size: int) -> list[Tensor]:
    """Rows in random order; a last batch of one is left out, as batch normalization cannot learn from it."""
    batches = list(torch.randperm(rows).split(size))
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches
