"""transformers' T5: encoder and decoder, five steps, greedy and beam-searched answers."""

import torch
from record import record, train
from transformers import T5Config, T5ForConditionalGeneration

torch.manual_seed(0)
config = T5Config(
    vocab_size=99, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4,
    decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
)  # fmt: skip
model = T5ForConditionalGeneration(config)
tokens, labels = torch.randint(2, 99, (2, 10)), torch.randint(2, 99, (2, 6))
record("logits", model(input_ids=tokens, labels=labels).logits)
train(model, lambda model: model(input_ids=tokens, labels=labels).loss)
model.eval()
for name, options in {"greedy": {}, "beams": {"num_beams": 3}}.items():
    text = model.generate(tokens, max_new_tokens=8, do_sample=False, **options)
    record(name, text.flatten().tolist())
