"""The health of lifts: reckoned each day and on change, at its own pace beside judging."""
