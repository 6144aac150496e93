"""Why a notification failed, in plain English and in Chinese: a template for each sentence of the senders.

An attempt is stored with the English detail of its sender. What a receiver answers, as a mail server does, stays.
"""

from __future__ import annotations

from dashboards.api.refused.texts import from_templates

FAILURES: tuple[tuple[str, str, str], ...] = (
    ("no-way", "has no verified way of notification", "没有已验证的通知方式"),
    (
        "nobody-called",
        "nobody could be called: nobody is on duty, can be notified, or is responsible",
        "无人可通知：无人值班、无通知方式或无责任单位",
    ),
    ("account-disabled", "the account is disabled", "账号已停用"),
    ("not-concerned", "the person has no role for the lift any more", "该人员已无权处理此电梯"),
    ("too-late", "could not be sent for an hour", "一小时内未能发送"),
    ("HTTP 401", "the receiver refuses the credentials (HTTP 401)", "接收方拒绝凭据（HTTP 401）"),
    ("HTTP 403", "the receiver does not allow it (HTTP 403)", "接收方不允许（HTTP 403）"),
    ("HTTP 404", "the receiver has no such address (HTTP 404)", "接收方没有此地址（HTTP 404）"),
    ("HTTP 410", "the address is no longer in use (HTTP 410)", "该地址已停用（HTTP 410）"),
    ("HTTP 429", "the receiver takes no more for now (HTTP 429)", "接收方暂时限流（HTTP 429）"),
    ("HTTP {status}", "the receiver answered HTTP {status}", "接收方返回 HTTP {status}"),
    ("SMTP {code} {text}", "the mail server refused the message: {code} {text}", "邮件服务器拒绝：{code} {text}"),
    (
        "SMTPServerDisconnected: {text}",
        "the mail server ended the connection: {text}",
        "邮件服务器断开了连接：{text}",
    ),
    ("ConnectTimeout: {text}", "the receiver cannot be reached: {text}", "无法连接接收方：{text}"),
    ("ConnectTimeout", "the receiver cannot be reached in time", "连接接收方超时"),
    ("ConnectError: {text}", "the receiver cannot be reached: {text}", "无法连接接收方：{text}"),
    ("ConnectionRefusedError: {text}", "the receiver refuses connections: {text}", "接收方拒绝连接：{text}"),
    ("ConnectionResetError: {text}", "the receiver ended the connection: {text}", "接收方断开了连接：{text}"),
    ("gaierror: {text}", "the name of the receiver is not known: {text}", "无法解析接收方的主机名：{text}"),
    ("ReadTimeout{text}", "the receiver did not answer in time", "接收方应答超时"),
    ("ReadTimeout", "the receiver did not answer in time", "接收方应答超时"),
    ("TimeoutError: {text}", "the receiver did not answer in time", "接收方应答超时"),
    ("TimeoutError", "the receiver did not answer in time", "接收方应答超时"),
    ("ReadError: {text}", "the receiver ended the connection: {text}", "接收方断开了连接：{text}"),
    ("RemoteProtocolError: {text}", "the receiver does not speak HTTP: {text}", "接收方的应答不是 HTTP：{text}"),
    ("SSLCertVerificationError: {text}", "the receiver's certificate is not valid: {text}", "接收方证书无效：{text}"),
    (
        "the answer is not that of a robot: is the address right?",
        "the answer is not that of a robot: is the address right?",
        "应答不是机器人的格式：请检查地址",
    ),
    ("errcode {code}: {text}", "the robot refused the message: {code} {text}", "机器人拒绝：{code} {text}"),
    ("code {code}: {text}", "the robot refused the message: {code} {text}", "机器人拒绝：{code} {text}"),
    ("the gateway answers {text}", "the gateway answers {text}", "网关返回 {text}"),
    ("the messenger does not answer", "the messenger does not answer", "通讯服务没有应答"),
    ("not a subscription: {text}", "not a subscription of a browser: {text}", "不是浏览器的订阅：{text}"),
    (
        "the browser has ended the subscription (HTTP {status})",
        "the browser has ended the subscription (HTTP {status})",
        "浏览器已终止订阅（HTTP {status}）",
    ),
    (
        "Apprise cannot read the address: see its list of URLs",
        "Apprise cannot read the address: see its list of URLs",
        "Apprise 无法识别该地址，请参阅其地址列表",
    ),
    (
        "the operator does not allow addresses that begin with {scheme}, but {known}",
        "the operator does not allow addresses that begin with {scheme}, but {known}",
        "平台不允许以 {scheme} 开头的地址，允许：{known}",
    ),
    (
        "{host} is an address of a private network, which the operator does not allow",
        "{host} is an address of a private network, which the operator does not allow",
        "{host} 属于内部网络，平台不允许",
    ),
    (
        "{text} is no e-mail address: write name@host.example",
        "{text} is no e-mail address: write name@host.example",
        "{text} 不是电子邮箱，请填写 name@host.example",
    ),
    (
        "{url} is no address to post to: write https://host/path",
        "{url} is no address to post to: write https://host/path",
        "{url} 不是可用的地址，请填写 https://host/path",
    ),
    ("not an address to post to: {text}", "not an address to post to: {text}", "不是可用的地址：{text}"),
    (
        "{text} is no telephone number: write +8613800138000",
        "{text} is no telephone number: write +8613800138000",
        "{text} 不是电话号码，格式如 +8613800138000",
    ),
    (
        "the secret of webhook {name} cannot sign: write whsec_ and at least 24 random bytes in base64",
        "the secret of webhook {name} cannot sign: write whsec_ and at least 24 random bytes in base64",
        "Webhook {name} 的密钥无法签名：请填写 whsec_ 加至少 24 字节随机数的 base64",
    ),
    (
        "the key of stored secrets is missing (records.key_file)",
        "the key of stored secrets is missing (records.key_file)",
        "缺少已存密钥的主密钥（records.key_file）",
    ),
)
"""What senders report, then the same for people in English and in Chinese; the first that matches counts."""
ENGLISH = tuple((reported, english) for reported, english, _ in FAILURES)
CHINESE = tuple((reported, chinese) for reported, _, chinese in FAILURES)


def failure_text(reason: str) -> dict[str, str]:
    """Return why a notification failed in each language; a reason without a template stays as it is."""
    english = from_templates(reason, ENGLISH) or reason
    return {"en": english, "zh": from_templates(reason, CHINESE) or english}
