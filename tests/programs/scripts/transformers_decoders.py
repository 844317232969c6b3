"""transformers' GPT-2 and Llama: five steps, then greedy, sampled and beam-searched texts."""

import sys
import tempfile

import torch
from record import record, train
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

torch.manual_seed(0)
if sys.argv[1] == "gpt2":
    config = GPT2Config(
        vocab_size=99, n_positions=64, n_embd=32, n_layer=2, n_head=4, bos_token_id=0,
        eos_token_id=98, pad_token_id=97,
    )  # fmt: skip
    kind = GPT2LMHeadModel
else:
    config = LlamaConfig(
        vocab_size=99, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=64,
        bos_token_id=0, eos_token_id=98, pad_token_id=97,
    )  # fmt: skip
    kind = LlamaForCausalLM
model = kind(config)
tokens = torch.randint(0, 97, (2, 10))
record("logits", model(tokens).logits)
train(model, lambda model: model(input_ids=tokens, labels=tokens).loss)
model.eval()
record("trained", model(tokens).logits)
prompt = tokens[:, :4]
left = torch.ones_like(prompt)
left[1, 0] = 0
for name, options in {
    "greedy": {"do_sample": False},
    "sampling": {"do_sample": True, "top_k": 20, "top_p": 0.95, "temperature": 1.3},
    "beams": {"do_sample": False, "num_beams": 3, "length_penalty": 0.8},
    "penalty": {"do_sample": False, "repetition_penalty": 1.3, "no_repeat_ngram_size": 2},
    "without cache": {"do_sample": False, "use_cache": False},
}.items():
    torch.manual_seed(1)
    text = model.generate(prompt, attention_mask=left, max_new_tokens=12, **options)
    record(name, text.flatten().tolist())
with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder)
    again = kind.from_pretrained(folder)
record("loaded", again(tokens).logits)
