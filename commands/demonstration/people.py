"""The people of the demonstration: invented mechanics of the simulated maintenance firms, and their telephones."""

from __future__ import annotations

MECHANICS: dict[str, tuple[str, ...]] = {
    "安达电梯 · Anda Lifts": ("陈伟 · Chen Wei", "王芳 · Wang Fang"),
    "恒通维保 · Hengtong Care": ("李强 · Li Qiang", "赵敏 · Zhao Min"),
    "北辰机电 · Beichen Electric": ("孙磊 · Sun Lei", "周婷 · Zhou Ting"),
    "北门电梯 · Northgate Lift Service": ("贝克尔 · Tom Becker", "奥布赖恩 · Mary O'Brien"),
}
"""The mechanics of each firm, by the name of the firm in the facts of its lifts."""
NUMBERS = {
    name: f"+86572555{1000 + k}" for k, name in enumerate(name for names in MECHANICS.values() for name in names)
}
"""Numbers that belong to nobody."""
OTHERS = ("陈伟 · Chen Wei",)


def mechanic_of(firm: str | None, number: int = 0) -> str:
    """Return the name of a mechanic of a firm; of one that is not in the list, of any."""
    names = MECHANICS.get(firm or "", OTHERS)
    return names[number % len(names)]
