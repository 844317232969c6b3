"""transformers' BERT: masked tokens and classification, five steps, saved and loaded again."""

import tempfile

import torch
from record import record, train
from transformers import BertConfig, BertForMaskedLM, BertForSequenceClassification

torch.manual_seed(0)
config = BertConfig(
    vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
    intermediate_size=64, max_position_embeddings=64,
)  # fmt: skip
tokens = torch.randint(0, 99, (2, 10))
mask = torch.ones(2, 10, dtype=torch.long)
mask[1, 6:] = 0
model = BertForMaskedLM(config).train()
record("logits", model(input_ids=tokens, attention_mask=mask).logits)
train(model, lambda model: model(input_ids=tokens, attention_mask=mask, labels=tokens).loss)
classes = BertForSequenceClassification(config).eval()
out = classes(tokens, attention_mask=mask, labels=torch.tensor([0, 1]), output_hidden_states=True)
record("classes", out.logits)
record("hidden", out.hidden_states[-1])
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    again = BertForMaskedLM.from_pretrained(folder)
record("loaded", again.eval()(tokens).logits)
record("same", float((again(tokens).logits - model.eval()(tokens).logits).abs().max()))
