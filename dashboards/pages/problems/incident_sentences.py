"""The sentences of problems of alerts and incidents in Chinese: a template for each English one."""

from __future__ import annotations

INCIDENT_SENTENCES: tuple[tuple[str, str], ...] = (
    # --- alerts
    ("Its condition still holds: it can be resolved once it has cleared.", "报警条件仍然成立，解除后方可关闭。"),
    ("A critical alert is never shelved.", "危急报警不能搁置。"),
    ("`until` must lie in the future and at most 8 hours ahead.", "截止时间须在未来 8 小时之内。"),
    (
        "The alert is closed: there is nothing left to {verb}; a comment can still be added.",
        "报警已关闭，无法再操作（{verb}），仍可添加备注。",
    ),
    # --- incidents
    (
        "Nobody can be inside: an incident of kind {kind} has no stage {stage}.",
        "不可能有人被困：{kind} 类事件没有阶段 {stage}。",
    ),
    ("Nobody can be inside: an incident of kind {kind} has no rescue.", "不可能有人被困：{kind} 类事件没有救援。"),
    ("Nobody is inside {lift}: its rescue is over, or never began.", "{lift} 内无人被困：救援已结束或从未开始。"),
    ("Lift {lift} is past {stage}: it has reached {reached}.", "电梯 {lift} 已过阶段 {stage}，现为 {reached}。"),
    (
        "is no lift of this incident; name one, with dispatched, on-site or released",
        "不是本事件的电梯；请填写其中一台，阶段为 dispatched、on-site 或 released",
    ),
    ("is no lift that you may act on; name one of this incident", "不是您可处理的电梯；请填写本事件中的一台"),
    ("The incident is past {stage}: it has reached {reached}.", "事件已过阶段 {stage}，现为 {reached}。"),
    ("The incident is past {stage}: take {later} back first.", "事件已过阶段 {stage}，请先撤回 {later}。"),
    ("is no lift of this incident; name one of its lifts, or none", "不是本事件的电梯；请填写其中一台，或不填"),
    (
        "Somebody who accepted comes: enter that they cannot come instead.",
        "已有人接警前往：请改为登记其无法到达。",
    ),
    ("A critical incident is closed with a reason: one of {reasons}.", "关闭危急事件须填写原因：{reasons} 之一。"),
    ("The reason `other` needs a note that says what it was.", "原因为 other 时须在备注中说明。"),
    (
        (
            "Somebody may still be inside: enter the stage `released`, or close it with the reason {reasons} or"
            " {reason}."
        ),
        "可能仍有人被困：请登记阶段 released，或以原因 {reasons} 或 {reason} 关闭。",
    ),
    (
        "Somebody reported it on the public page: write the answer that the reporter reads.",
        "有人通过公众页面报告：请填写给报告人的答复。",
    ),
    (
        "The condition of {rules} still holds: the incident can be closed once it has cleared.",
        "{rules} 的报警条件仍然成立，解除后方可关闭事件。",
    ),
    (
        "The incident was merged into another one: split that one instead.",
        "该事件已并入另一事件，请拆分后者。",
    ),
    (
        "The incident was closed more than 24 hours ago: open a new one, and link the two.",
        "该事件关闭已超过 24 小时：请新建事件并关联两者。",
    ),
    (
        "Another incident of its lift is open: comment there, or link the two.",
        "该电梯已有未关闭的事件：请在其中添加备注，或关联两者。",
    ),
    (
        "The incident is closed: there is nothing left to {verb}; reopen it first, or add a comment.",
        "事件已关闭，无法再操作（{verb}）：请先重新打开，或添加备注。",
    ),
    (
        "The incident is closed: there is nobody left to call out; reopen it first.",
        "事件已关闭，无需再派人：请先重新打开。",
    ),
    ("An incident is not merged into itself: name another one.", "事件不能与自身合并，请另选一个。"),
    (
        "Only open incidents are merged: reopen the one that is closed, or link the two.",
        "只能合并未关闭的事件：请重新打开已关闭的事件，或关联两者。",
    ),
    ("Only an open incident is split: reopen it first.", "只能拆分未关闭的事件，请先重新打开。"),
    ("Name some alerts or lifts of the incident, and not all of them.", "请选择该事件的部分报警或电梯，不能全选。"),
    ("Not alerts or lifts of this incident: {names}.", "不是该事件的报警或电梯：{names}。"),
    ("An incident is not linked to itself: name another one.", "事件不能与自身关联，请另选一个。"),
    (
        (
            "Alerts say that somebody is inside each of several lifts: enter the release once one has cleared, or"
            " resolve an alert that clears by hand alone."
        ),
        "多台电梯的报警均显示有人被困：请待其中一台解除后再登记救出，或关闭须人工解除的报警。",
    ),
    ("{count} call-outs are the most: enter further ones as comments.", "最多派人 {count} 次，其余请以备注登记。"),
    ("Name the call-out that is declined by its number.", "请填写被拒绝的派人编号。"),
    ("Name the call-out that nobody answers by its number.", "请填写无人应答的派人编号。"),
    (
        "{who} has answered call-out {number}: enter that they cannot come.",
        "{who} 已答复第 {number} 次派人：请登记其无法到场。",
    ),
    (
        "The incident has lifts of other organisations: they, or the operator, decide with you.",
        "该事件涉及其他单位的电梯，须由其或平台运营单位共同处理。",
    ),
    (
        "is no person of your organisation; write the login of one, as in /account",
        "不是本单位人员；请填写本单位人员的登录名（见“我的账号”页面）",
    ),
    ("has too many pixels; send a smaller one", "像素过多；请发送较小的照片"),
    ("is not a JPEG, PNG or WebP image; choose another one", "不是 JPEG、PNG 或 WebP 图片；请另选一张"),
    ("Photos cannot be kept now; the report itself was received.", "目前无法保存照片，报告本身已收到。"),
    ("is missing; choose a photo", "未填写；请选择照片"),
)
