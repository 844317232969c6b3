"""transformers' Whisper: sound to text, five steps, greedy and beam-searched texts."""

import torch
from record import record, train
from transformers import WhisperConfig, WhisperForConditionalGeneration

torch.manual_seed(0)
config = WhisperConfig(
    vocab_size=99, num_mel_bins=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
    decoder_attention_heads=4, encoder_ffn_dim=64, decoder_ffn_dim=64, d_model=32,
    max_source_positions=30, max_target_positions=32, pad_token_id=0, bos_token_id=1,
    eos_token_id=2, decoder_start_token_id=3, suppress_tokens=None, begin_suppress_tokens=None,
)  # fmt: skip
model = WhisperForConditionalGeneration(config)
sound, labels = torch.randn(2, 16, 60), torch.randint(4, 99, (2, 7))
record("logits", model(input_features=sound, labels=labels).logits)
train(model, lambda model: model(input_features=sound, labels=labels).loss)
model.eval()
for name, options in {"greedy": {}, "beams": {"num_beams": 3}}.items():
    text = model.generate(sound, max_new_tokens=8, do_sample=False, **options)
    text = text["sequences"] if isinstance(text, dict) else text
    record(name, text.flatten().tolist())
