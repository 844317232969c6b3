"""What torch.nn.attention adds to scaled_dot_product_attention."""
