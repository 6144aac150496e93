// The page of alerts: all of them, also those that are shelved or held back.

import "./shell.js";
import { ACTION_KEYS } from "./alert_actions.js";
import { AlertPane, holdReason } from "./alert_pane.js";
import { ListPage } from "./list_page.js";
import { severityRank } from "./severity.js";
import { isMine } from "./user_name.js";
import { liftName, translate, alertStatus, summary } from "./translations.js";

const isOpen = (alert) => alert.state !== "closed";
const rank = (alert) => (alert.state === "firing" ? 0 : 1);

class AlertsPage extends ListPage {
  views = {
    todo: (alert) => isOpen(alert) && !alert.inhibited_by,
    mine: (alert) => isOpen(alert) && isMine(alert.assigned_to),
    held: (alert) => isOpen(alert) && Boolean(alert.inhibited_by),
    done: (alert) => !isOpen(alert),
  };

  query() {
    return { state: this.view === this.closedView ? ["closed"] : ["firing", "cleared"] };
  }

  isUrgent(alert) {
    return alert.severity === "critical" && alert.state === "firing";
  }

  /** Order: most severe first, then firing before cleared, then newest first; what is closed by its onset alone. */
  compare(a, b) {
    const newest = b.onset.localeCompare(a.onset);
    return this.view === this.closedView ? newest : severityRank(a.severity) - severityRank(b.severity) || rank(a) - rank(b) || newest;
  }

  /** Return the headline: critical alerts in every view, then what the view holds. */
  headline(n) {
    if (!this.criticals.size) return this.viewSentence(n);
    const urgent = translate("inbox.todo.critical", { n: this.criticals.size });
    return this.view === "todo" ? urgent : `${urgent} · ${this.viewSentence(n)}`;
  }

  description(alert, lift) {
    return { heading: liftName(lift), time: alert.onset, sentence: summary(alert), state: [...alertStatus(alert), holdReason(alert)].filter(Boolean).join(" · ") };
  }

  isSeen(alert) {
    return alert.acknowledged || alert.state !== "firing";
  }
}

new AlertsPage({ name: "alert", texts: "inbox", critical: { state: "firing", severity: "critical" }, keys: ACTION_KEYS, Pane: AlertPane }).start();
