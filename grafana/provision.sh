#!/bin/sh
# provision.sh SOURCE TARGET: copies Grafana's provisioning files, with alerts going to the addresses that are set.
# Run before Grafana starts: Grafana refuses a contact point without its address.
set -eu

rm -rf "$2"
mkdir -p "$2"
cp -r "$1/." "$2/"
mkdir -p "$2/plugins" # Grafana logs an error where it is missing
points="$2/alerting/contact-points.yaml"
[ -n "${BREAKOUT_ALERT_CHAT_URL:-}" ] || sed -i '/uid: breakout-chat/d' "$points"
[ -n "${BREAKOUT_ALERT_WEBHOOK_URL:-}" ] || sed -i '/uid: breakout-webhook/d' "$points"
[ -n "${BREAKOUT_ALERT_EMAIL:-}" ] || sed -i '/uid: breakout-email/d' "$points"
if ! grep -q 'uid: breakout-' "$points"; then
    rm "$points"
    sed -i '/notification_settings:/d' "$2/alerting/rules.yaml"
    echo "no BREAKOUT_ALERT_CHAT_URL, _WEBHOOK_URL or _EMAIL is set: alerts follow Grafana's notification policies"
fi
