"""The kernels for the GPU, in Triton. Where triton may be missing, import `presence` and `plan` only."""
