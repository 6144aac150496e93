"""The sentences of fields that a body or a query lacks, or that have another type, in Chinese."""

from __future__ import annotations

FIELD_SENTENCES: tuple[tuple[str, str], ...] = (
    ("does not lie before `to`; give a window that begins before it ends", "不早于 to；请给出起点早于终点的时段"),
    ("not a fault of the simulator; take one of {causes}", "不是模拟器的故障；须为 {causes} 之一"),
    ("is not a length of a temporary change", "不是可选的有效期"),
    ("Lift {lift} is no lift of this incident any more.", "电梯 {lift} 已不属于该事件。"),
    ("required, and not there", "必填，未填写"),
    ("not a known field; remove it or correct its name", "不是已知字段；请删除或更正名称"),
    ("Input should be a valid string", "须为文本"),
    ("Input should be a valid boolean", "须为 true 或 false"),
    ("Input should be a valid integer, unable to parse string as an integer", "须为整数"),
    ("Input should be a valid integer", "须为整数"),
    ("Input should be a valid number, unable to parse string as a number", "须为数值"),
    ("Input should be a valid number", "须为数值"),
    ("Input should be a finite number", "须为有限数值"),
    ("Input should be a valid list", "须为列表"),
    ("Input should be a valid dictionary or object to extract fields from", "须为对象"),
    ("Input should be a valid dictionary", "须为对象"),
    ("Input should be greater than or equal to {limit}", "不得小于 {limit}"),
    ("Input should be less than or equal to {limit}", "不得大于 {limit}"),
    ("Input should be greater than {limit}", "须大于 {limit}"),
    ("Input should be less than {limit}", "须小于 {limit}"),
    ("Input should be {values}", "须为 {values}"),
    ("String should have at least {limit} character", "至少 {limit} 个字符"),
    ("String should have at least {limit} characters", "至少 {limit} 个字符"),
    ("String should have at most {limit} character", "最多 {limit} 个字符"),
    ("String should have at most {limit} characters", "最多 {limit} 个字符"),
    ("String should match pattern {pattern}", "格式不正确，须符合 {pattern}"),
    ("List should have at least {limit} item after validation, not {count}", "至少 {limit} 项，现有 {count} 项"),
    ("List should have at most {limit} items after validation, not {count}", "最多 {limit} 项，现有 {count} 项"),
)
"""As `SENTENCES`. Special sentences come before general ones."""
