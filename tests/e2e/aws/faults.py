"""What is to go wrong: rules that pick a call of one stack's functions, and say what becomes of it.

A rule is `{"kind": …}` and, where it picks, `function`, `service`, `operation`, `detail`, `nth` (the how-manieth call that
the rest picks, from 1) and `times` (how many from there on, 1). Kinds:

    refuse      an error (`status`, `code`), nothing done
    lose        done, then an error: a lost acknowledgement
    drop        the connection breaks before anything is done
    break       the connection breaks after it is done
    hang        done, then nothing is said for `ms`
    delay       nothing is done for `ms`, then all is well
    kill        SIGKILL to the caller before anything is done
    kill_after  SIGKILL to the caller after it is done, before it hears of it
"""

import threading

KINDS = {"refuse", "lose", "drop", "break", "hang", "delay", "kill", "kill_after"}
PICKS = ("function", "service", "operation", "detail")


class Faults:
    """The rules in force, by stack."""

    def __init__(self):
        self._lock = threading.Lock()
        self._rules = {}

    def set(self, stack, rules):
        """Replaces a stack's rules."""
        for rule in rules:
            if rule.get("kind") not in KINDS:
                raise ValueError(f"no such fault: {rule}")
        with self._lock:
            self._rules[stack] = [dict(rule, seen=0) for rule in rules]

    def pick(self, stack, function, call):
        """The rule that the call meets, or nothing."""
        facts = (function, call.service, call.operation, call.detail)
        with self._lock:
            met = None
            for rule in self._rules.get(stack, []):
                if any(rule.get(name) not in (None, fact) for name, fact in zip(PICKS, facts)):
                    continue
                rule["seen"] += 1
                first = rule.get("nth", 1)
                if met is None and first <= rule["seen"] < first + rule.get("times", 1):
                    met = rule
            return met
