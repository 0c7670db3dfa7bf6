"""A checkpoint of the real architecture in the sizes of a toy, saved as the vendor saves it."""

from pathlib import Path

import torch
from kronos_finance._vendor.kronos_model import Kronos, KronosTokenizer

MODEL = {
    "s1_bits": 10,
    "s2_bits": 10,
    "n_layers": 2,
    "d_model": 32,
    "n_heads": 4,
    "ff_dim": 48,
    "ffn_dropout_p": 0.2,
    "attn_dropout_p": 0.1,
    "resid_dropout_p": 0.2,
    "token_dropout_p": 0.1,
    "learn_te": True,
}
TOKENIZER = {
    "d_in": 6,
    "d_model": 32,
    "n_heads": 4,
    "ff_dim": 48,
    "n_enc_layers": 3,
    "n_dec_layers": 3,
    "ffn_dropout_p": 0.1,
    "attn_dropout_p": 0.1,
    "resid_dropout_p": 0.1,
    "s1_bits": 10,
    "s2_bits": 10,
    "beta": 0.05,
    "gamma0": 1.0,
    "gamma": 1.1,
    "zeta": 0.05,
    "group_size": 4,
}


def build(folder: Path) -> None:
    """`model` and `tokenizer` in `folder`, the same bytes every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        Kronos(**MODEL).save_pretrained(folder / "model")
        KronosTokenizer(**TOKENIZER).save_pretrained(folder / "tokenizer")
