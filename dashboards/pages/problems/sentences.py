"""The sentences of problems of people, organisations and devices in Chinese: a template for each English one."""

from __future__ import annotations

SENTENCES: tuple[tuple[str, str], ...] = (
    # --- whole problems
    (
        "A second person is asked for: the operator's administrators end that.",
        "已要求第二人批准，只能由平台运营单位的管理员取消。",
    ),
    (
        "Your organisation changes {fields} only; the operator changes the rest.",
        "本单位只能更改 {fields}，其余由平台运营单位更改。",
    ),
    ("You act for this organisation: let another one close it.", "您正代表该单位操作，请由其他单位关闭。"),
    ("You act for the organisation that would be closed.", "您正代表将被关闭的单位操作。"),
    (
        "The account belongs to another organisation too: ask the operator.",
        "该账号还属于其他单位，请联系平台运营单位。",
    ),
    ("You cannot disable your own account.", "不能停用自己的账号。"),
    ("A machine account has tokens instead of a password.", "程序账号使用令牌，没有密码。"),
    ("A person makes tokens of their own, on the page of their account.", "个人令牌由本人在账号页面创建。"),
    (
        "Change your own account on its page, which asks for your password.",
        "请在“我的账号”页面更改自己的账号，届时需输入密码。",
    ),
    ("The operator's administrators do this.", "此操作由平台运营单位的管理员执行。"),
    ("There is no account yet: {remedy}.", "尚无账号：{remedy}。"),
    (
        "run `liftwatch people add-administrator` on the server first",
        "请先在服务器上运行 `liftwatch people add-administrator`",
    ),
    ("There is no {what} {name}.", "没有{what} {name}。"),
    ("lift", "电梯"),
    ("device", "设备"),
    ("organisation", "单位"),
    ("person", "人员"),
    ("form", "表单"),
    ("way", "通知方式"),
    ("{device} is a device already; rotate or revoke it.", "{device} 已是设备，请更换其密码或撤销。"),
    ("{device} is revoked; add it again.", "{device} 已撤销，请重新添加。"),
    (
        "This server may not write {folder}: use `liftwatch devices` where the broker's files are written.",
        "本服务器无权写入 {folder}：请在写入消息服务器文件的机器上使用 `liftwatch devices`。",
    ),
    (
        "This server has no key of the authority: use `liftwatch devices` where the key is.",
        "本服务器没有证书机构的密钥：请在存有密钥的机器上使用 `liftwatch devices`。",
    ),
    ("broker's files: {detail}", "消息服务器的文件：{detail}"),
    (
        (
            "broker.access_dir: cannot write {path} ({why}); the records have the change, the broker has not: correct"
            " the rights of the folder, then run `liftwatch devices write`"
        ),
        (
            "broker.access_dir：无法写入 {path}（{why}）；更改已记录，但消息服务器尚未生效：请修正文件夹权限，"
            "再运行 `liftwatch devices write`"
        ),
    ),
    # --- files of devices
    (
        'not CSV: {error} in line {line}; separate by commas, quote by "',
        "不是 CSV：第 {line} 行有误（{error}）；请用逗号分隔，用双引号括起",
    ),
    (
        "the first line must name the columns, device_id and any of {columns}",
        "第一行须为列名：device_id，以及 {columns} 中的任意列",
    ),
    # --- fields: what is wrong; the remedy
    ("is missing", "未填写"),
    ("is empty", "为空"),
    ("every organisation needs one", "每个单位都须填写"),
    ("choose an organisation", "请选择单位"),
    ("write a name", "请填写名称"),
    ("{value} is not a text", "{value} 不是文本"),
    ("write a text", "请填写文本"),
    ("has {count} characters", "有 {count} 个字符"),
    ("write at most {limit}", "最多 {limit} 个"),
    ("holds the bidirectional control character {code}", "含双向控制字符 {code}"),
    ("remove it: it reorders the text", "请删除：它会打乱文字顺序"),
    ("holds a control character", "含控制字符"),
    ("write it on one line, without tabs", "请写在一行内，不含制表符"),
    ("{value} is not of the right form", "{value} 格式不正确"),
    ("write 1 to 32 of a-z, 0-9 and -", "请填写 1 到 32 个 a-z、0-9 或 - 字符"),
    ("write 1 to 64 of A-Z, a-z, 0-9, _ and -", "请填写 1 到 64 个 A-Z、a-z、0-9、_ 或 - 字符"),
    (
        "write the gateway's own id, as in its topic: {form}",
        "请填写网关在主题中的编号：{form}",
    ),
    ("1 to 64 of A-Z, a-z, 0-9, _ and -", "1 到 64 个 A-Z、a-z、0-9、_ 或 - 字符"),
    ("write it as in 2:1", "格式如 2:1"),
    ("write digits, with + ( ) / . - and blanks between them", "请填写数字，其间可有 + ( ) / . - 和空格"),
    ("{value} is not known", "{value} 无法识别"),
    ("write one of {names}", "须为 {names} 之一"),
    ("write password or certificate", "请填写 password 或 certificate"),
    ("{value} is neither true nor false", "{value} 既非 true 也非 false"),
    ("write true or false", "请填写 true 或 false"),
    ("is not a list", "不是列表"),
    ("write texts, separated by commas", "请填写文本，用逗号分隔"),
    ("has {count} entries", "有 {count} 项"),
    ("give at most {limit}, or use `liftwatch devices import`", "最多 {limit} 台，或使用 `liftwatch devices import`"),
    ("give at most {limit}", "最多 {limit} 项"),
    ("are not settings", "不是设置"),
    ("write an object of {names}, each true or false", "须为含 {names} 的对象，值为 true 或 false"),
    ("is not a field of an organisation", "不是单位的字段"),
    ("is not a login", "不是有效的登录名"),
    (
        "write an e-mail address or a name without spaces, at most {limit} letters",
        "请填写电子邮箱或不含空格的名称，最多 {limit} 个字符",
    ),
    ("lies in the past or more than 366 days ahead", "已过期或超过 366 天"),
    ("{name} is an organisation of the kind {kind}: name another one", "{name} 是另一类单位（{kind}），请另填一个"),
    ("an organisation is, or was, named {name} already", "已有单位使用或曾使用名称 {name}"),
    ("an account has the login {login} already", "登录名 {login} 已被使用"),
    (
        "nobody could administer this installation any more: name another administrator first",
        "系统将没有管理员：请先指定另一名管理员",
    ),
    # --- ways
    ("{value} is not an e-mail address", "{value} 不是电子邮箱"),
    ("write name@host.example", "请填写 name@host.example"),
    ("{value} is not a telephone number", "{value} 不是电话号码"),
    ("write it as in +8613800138000", "格式如 +8613800138000"),
    ("{value} is not an address of Apprise", "{value} 不是 Apprise 地址"),
    ("write it as in tgram://token/chat", "格式如 tgram://token/chat"),
    ("{value} is not an address", "{value} 不是地址"),
    ("write https://host/path", "请填写 https://host/path"),
    ("is not a subscription of a browser", "不是浏览器的订阅"),
    ("turn notifications on in the browser again", "请在浏览器中重新开启通知"),
    ("is not a signing secret", "不是签名密钥"),
    ("write whsec_ and at least 24 random bytes in base64", "请填写 whsec_ 加至少 24 字节随机数的 base64"),
    ("is wrong, or older than 10 minutes", "错误或已超过 10 分钟"),
    ("have another one sent", "请重新发送"),
    ("are not exactly your ways", "与您的通知方式不一致"),
    ("name each of them once", "请各填写一次"),
    ("Give back the code of this way first.", "请先输入此方式的验证码。"),
    (
        "At most {limit} messages of this kind an hour are sent: wait an hour.",
        "此类消息每小时最多发送 {limit} 条，请一小时后再试。",
    ),
    ("A person has at most {limit} ways: remove one first.", "每人最多 {limit} 种方式，请先删除一种。"),
    # --- fields of devices
    ("tick the box to confirm", "请勾选以确认"),
    ("{value} is not an id", "{value} 不是有效编号"),
    ("use 1 to 64 letters, digits, hyphens and underscores", "请使用 1 到 64 个字母、数字、连字符或下划线"),
    ("{value} begins with {prefix}, a name of Liftwatch", "{value} 以 Liftwatch 的名称 {prefix} 开头"),
    (
        "choose another id: as a client id it could end a connection of Liftwatch itself",
        "请另选编号：作为客户端编号可能中断 Liftwatch 自身的连接",
    ),
    ("name the lifts behind the gateway", "请填写该网关下的电梯"),
    (
        "the fact gateway_id of {lift} does not assign it to {device} alone",
        "电梯 {lift} 的资料 gateway_id 未将其仅分配给 {device}",
    ),
    ("ask the operator of this server to set it", "请联系平台运营单位设置"),
    ("has {count} lifts", "有 {count} 台电梯"),
    ("give a gateway at most {limit}", "每个网关最多 {limit} 台"),
    ("{lift} is named twice", "{lift} 出现两次"),
    ("name it once", "请只填写一次"),
    ("{device} is in line {line} too", "{device} 也在第 {line} 行"),
    ("keep one of the two", "请保留其一"),
    ("has more cells than the first line", "单元格多于第一行"),
    ("separate lifts by semicolons", "电梯之间请用分号分隔"),
    ("a certificate cannot be issued here", "此处不能签发证书"),
    ("use `liftwatch devices add --certificate`", "请使用 `liftwatch devices add --certificate`"),
    ("has {count} devices", "有 {count} 台设备"),
    ("{wrong}; {remedy}", "{wrong}；{remedy}"),
)
"""Each English template with its Chinese one. The first that matches counts, so special ones come first."""
