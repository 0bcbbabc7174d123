"""Which role a call was signed in: the emulator gives each function one key for its role, made of both names."""

import hashlib


def key_of(function_arn: str, role_arn: str) -> str:
    return f"ASIA{hashlib.sha256(f'{function_arn}:{role_arn}'.encode()).hexdigest()[:16].upper()}"
