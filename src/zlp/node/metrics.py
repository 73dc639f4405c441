"""What a node counts, in the form Prometheus reads. Counted per group, so that a command costs nothing."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

LATENCIES = (0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5)


class NodeMetrics:
    """The counters of one node, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.commands = Counter("zlp_commands", "Commands sequenced, by outcome", ["outcome"], registry=self.registry)
        self.accepted = self.commands.labels("accepted")
        self.rejected = self.commands.labels("rejected")
        self.refused = Counter(
            "zlp_refused", "Submissions not sequenced, by reason", ["reason"], registry=self.registry
        )
        self.stage = Counter("zlp_stage_seconds", "Seconds spent, by stage", ["stage"], registry=self.registry)
        self.engine = self.stage.labels("engine")
        self.journal = self.stage.labels("journal")
        self.signature = self.stage.labels("signature")
        self.publish = self.stage.labels("publish")
        self.sync = Histogram(
            "zlp_sync_seconds", "Durable append of one group", buckets=LATENCIES, registry=self.registry
        )
        self.group = Histogram(
            "zlp_group_commands",
            "Commands per group",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
            registry=self.registry,
        )
        self.waiting = Gauge("zlp_waiting", "Commands that wait to be sequenced", registry=self.registry)
        self.sequence = Gauge("zlp_sequence", "Newest durable sequence", registry=self.registry)
        self.ready = Gauge("zlp_ready", "1 while the node takes commands", registry=self.registry)
        self.subscribers = Gauge("zlp_subscribers", "Open streams", registry=self.registry)
        self.dropped = Counter("zlp_subscribers_dropped", "Streams closed for being slow", registry=self.registry)
