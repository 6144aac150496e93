"""The sentences of problems of lifts, changes and of requests as such in Chinese."""

from __future__ import annotations

REQUEST_SENTENCES: tuple[tuple[str, str], ...] = (
    # --- changes that can hide a danger
    (
        "is missing; this change can hide a danger: write why it is made",
        "未填写；此更改可能掩盖危险，请说明原因",
    ),
    (
        "is missing; the changes of {lifts} can hide a danger: write why, as ?reason=",
        "未填写；{lifts} 的更改可能掩盖危险，请用 ?reason= 说明原因",
    ),
    (
        "The end of the maintenance window has passed: ask for another one.",
        "维护时段的截止时间已过，请重新申请。",
    ),
    (
        "lies in the past or more than {hours} hours ahead; write when the work will be done",
        "已过期或超过 {hours} 小时；请填写作业结束时间",
    ),
    (
        "The end of the change has passed: ask for another one.",
        "该更改的截止时间已过，请重新申请。",
    ),
    (
        "Another temporary change of the lift has not ended: wait for its end.",
        "该电梯已有未到期的临时更改，请等待其到期。",
    ),
    (
        "is the end of a change of thresholds, and none changes; leave it out",
        "是阈值更改的截止时间，但没有阈值改变；请不要填写",
    ),
    (
        "lies in the past or more than {days} days ahead; write an earlier end",
        "已过期或超过 {days} 天；请填写更早的时间",
    ),
    ("The request is {state}: there is nothing left to decide.", "该申请的状态为 {state}，无需再处理。"),
    ("Another account must decide: this one made the request.", "须由其他账号处理：该申请由本账号提出。"),
    ("A person must decide: this is a machine account.", "须由人员处理：本账号为程序账号。"),
    (
        "Another account must decide: this one was created after the request.",
        "须由其他账号处理：本账号在该申请之后创建。",
    ),
    (
        "Who does not administer the machine account must decide: a manager or inspector, or the authority.",
        "须由不管理该程序账号的人员处理：经理或监察员，监管部门的也可以。",
    ),
    (
        "{name}, who made the request, may not make this change any more: decline it.",
        "申请人 {name} 已无权进行此更改，请拒绝该申请。",
    ),
    (
        "The account of {name}, who made the request, is disabled: decline it and make the change anew.",
        "申请人 {name} 的账号已停用：请拒绝该申请并重新提出更改。",
    ),
    (
        "The authority has districts: take them out of its list first.",
        "该监管部门仍有辖区：请先将其从列表中移除。",
    ),
    (
        "The operator asks for a second person: end that first.",
        "该运营方要求第二人批准：请先取消此要求。",
    ),
    # --- lifts
    ("{lift} is registered already; PATCH it to change it.", "{lift} 已登记；请用 PATCH 修改。"),
    ("Your role does not change {fields}.", "您的角色不能更改 {fields}。"),
    ("is changed by the operator of this server alone; leave it out", "只能由平台运营单位更改；请不要填写"),
    ("is not a field of the registry", "不是登记资料的字段"),
    ("did you mean {field}?", "是否应为 {field}？"),
    ("the registry has {fields}", "登记资料的字段为 {fields}"),
    ("{count} landings", "有 {count} 个层站"),
    ("the lowest landing is at {height} m", "最低层站的高度为 {height} m"),
    ("measure heights from it, so that it is at 0", "高度须从最低层站算起，使其为 0"),
    (
        "{label} at {height} m is not above {below} at {low} m",
        "{label}（{height} m）不高于 {below}（{low} m）",
    ),
    ("list landings from the lowest up", "层站须由低到高排列"),
    ("{label} cannot be a label", "{label} 不能作为层站标号"),
    ("write 1 to {limit} characters without : and ;", "须为 1 到 {limit} 个字符，不含 : 和 ;"),
    ("{item} has no height", "{item} 没有高度"),
    ("write label:height;label:height, as in 1:0;2:3.2", "格式为 标号:高度;标号:高度，如 1:0;2:3.2"),
    ("{value} is not a list", "{value} 不是列表"),
    ("write landings with label and height_m, the lowest first", "请由低到高填写层站的 label 和 height_m"),
    ("{item} is not a landing", "{item} 不是层站"),
    ("write its label and height_m", "请填写其 label 和 height_m"),
    ("every lift needs one", "每台电梯都须填写"),
    ("cannot change", "不能更改"),
    ("add the lift under its new id and delete this one", "请用新编号添加该电梯，再删除此电梯"),
    ("{lift} is in row {row} too", "{lift} 也在第 {row} 行"),
    ("is not an object", "不是对象"),
    ("write the facts of a lift by name", "请按字段名填写电梯资料"),
    ("not UTF-8 at byte {place}; {remedy}", "第 {place} 字节不是 UTF-8；{remedy}"),
    (
        "save the file as UTF-8, a list of objects, one for each lift",
        "请将文件存为 UTF-8，内容为对象列表，每台电梯一个对象",
    ),
    (
        "not JSON: {error}; write a list of objects, one for each lift",
        "不是 JSON：{error}；请填写对象列表，每台电梯一个对象",
    ),
    ("not a list; write a list of objects, one for each lift", "不是列表；请填写对象列表，每台电梯一个对象"),
    ("are {count} already", "已有 {count} 个"),
    ("remove one first", "请先删除一个"),
    ("name either a lift, or a gateway with its lifts", "请填写一台电梯，或一个网关及其电梯"),
    # --- who asks
    ("Your role does not include the verb {verb}: see docs/roles.md.", "您的角色没有权限 {verb}，参见 docs/roles.md。"),
    ("The lift does not name your organisation as what it is.", "该电梯的资料未将本单位列为相应单位。"),
    ("is not taken from signed-in accounts; leave it out", "已登录账号不得填写；请不要填写"),
    ("is missing; name the person who acts", "未填写；请填写操作人"),
    ("The account belongs to no organisation.", "该账号不属于任何单位。"),
    ("Sign in, or send a token: Authorization: Bearer lw_….", "请登录，或发送令牌：Authorization: Bearer lw_…。"),
    (
        "The token is not valid: it does not exist, has expired or was revoked.",
        "令牌无效：不存在、已过期或已撤销。",
    ),
    ("An account has at most {limit} tokens: revoke one first.", "每个账号最多 {limit} 个令牌，请先撤销一个。"),
    ("A token cannot do this: sign in with a browser.", "不能使用令牌执行此操作，请用浏览器登录。"),
    (
        "Your organisation demands a second factor: set it up on the page of your account.",
        "本单位要求双因素验证，请在“我的账号”页面设置。",
    ),
    (
        "Login, password and code do not fit together, or the account is disabled.",
        "登录名、密码与验证码不符，或账号已停用。",
    ),
    ("There were too many attempts: wait {seconds} s, then try again.", "尝试次数过多，请等待 {seconds} 秒后重试。"),
    ("There were too many changes at once: wait a moment, then go on.", "短时间内更改过多，请稍候再继续。"),
    (
        "The token against forged requests is missing or old: load the page again, and repeat.",
        "防伪造令牌缺失或过期，请重新加载页面后重试。",
    ),
    (
        "The form is not of this browser: open the one-time link again.",
        "该表单不属于此浏览器，请重新打开一次性链接。",
    ),
    (
        "A page of another site may not change anything here; use our own.",
        "其他网站的页面不得更改内容，请使用本站页面。",
    ),
    (
        "This server does not answer to the name {host}; add it to its `hosts` setting.",
        "本服务器不以名称 {host} 提供服务，请将其加入设置 hosts。",
    ),
    (
        "One {what} is served {limit} live streams at most: close some first.",
        "每个{what}最多 {limit} 个实时连接，请先关闭一些。",
    ),
    ("address", "地址"),
    ("account", "账号"),
    # --- requests as such
    (
        "There is nothing at {path}; /api/openapi.json lists what there is.",
        "{path} 不存在；接口列表见 /api/openapi.json。",
    ),
    (
        "{path} does not take {method}; the Allow header names what it takes.",
        "{path} 不支持 {method}；可用方法见 Allow 标头。",
    ),
    ("The body cannot be read as JSON in UTF-8: {error}.", "正文无法按 UTF-8 编码的 JSON 读取：{error}。"),
    ("The body is not JSON: {error} at character {place}.", "正文不是 JSON：第 {place} 个字符有误（{error}）。"),
    ("The body is too large: send at most {limit} bytes.", "正文过大：最多 {limit} 字节。"),
    ("The body is too large: {detail}.", "正文过大：{detail}。"),
    ("The form is too large: send at most {limit} bytes.", "表单过大：最多 {limit} 字节。"),
    ("The form has more than {limit} fields.", "表单的字段超过 {limit} 个。"),
    ("Content-Type is {sent}; send {types}.", "Content-Type 为 {sent}；请发送 {types}。"),
    (
        "Somebody changed {path} meanwhile: read it again, and repeat what still applies.",
        "{path} 已被他人更改：请重新读取，再执行仍需的更改。",
    ),
    ("If-Match: {detail}", "If-Match：{detail}"),
    (
        'not a list of ETags; send the ETag of the last answer, with its quotes, as in "7"',
        '不是 ETag 列表；请发送上次响应的 ETag，包括引号，如 "7"',
    ),
    (
        "this cursor was not given out by this list: leave it out to begin anew",
        "该游标不是此列表给出的：请去掉游标重新开始",
    ),
    (
        "not a cursor of this list; take `next` from the page before, with the same filters and sort",
        "不是此列表的游标；请使用上一页的 next，筛选和排序须相同",
    ),
    (
        "The server cannot open a stored secret: its operator finds the remedy in the log of the server.",
        "服务器无法打开已保存的密钥：运营人员可在服务器日志中查看处理办法。",
    ),
    (
        "Something went wrong on our side; the server's log has the details.",
        "服务器内部出错，详情见服务器日志。",
    ),
    (
        (
            "{error} {taken} of {count} lifts were taken, in the order of the rows, up to {lift}; send the same again:"
            " those change nothing"
        ),
        "{error} {count} 台电梯中已按行序接收 {taken} 台，至 {lift} 为止；请重新发送同一内容，已接收的不会再变",
    ),
    ("{limit} listeners are served at most; try again later", "最多 {limit} 个实时连接；请稍后重试"),
    ("they do not answer now", "目前无响应"),
    ("records: {detail}", "记录数据库：{detail}"),
    (
        "No lift of the other incident names your organisation as what it is.",
        "另一事件的电梯均未将贵单位登记为其现有身份。",
    ),
    ("time series: {detail}", "时序数据库：{detail}"),
    ("live stream: {detail}", "实时连接：{detail}"),
    ("monitor: {detail}", "监测程序：{detail}"),
    ("broker: {detail}", "消息服务器：{detail}"),
    ("alert", "报警"),
    ("incident", "事件"),
    ("change request", "更改申请"),
    ("session", "会话"),
    ("token", "令牌"),
    ("photo", "照片"),
)
"""As `SENTENCES`, and after them."""
