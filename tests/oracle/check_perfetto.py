#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_perfetto.py TRACE JSON: reads a trace with the messages of PyPI's perfetto, which
must know each field in it, and compares it with `export -f json` of the same view: each
sample's time, weight, thread, goroutine with its parent, and stack. Prints what differs;
exit status 1 then."""
import json
import sys
import unicodedata

from google.protobuf import unknown_fields
from google.protobuf.descriptor import FieldDescriptor
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as pb

NANOSECONDS = pb.StackSample.UNIT_NANOSECONDS


def check_known(message, where):
    """Fails if the message or one in it has a field that its definition lacks."""
    unknown = unknown_fields.UnknownFieldSet(message)
    if len(unknown):
        sys.exit(f"{where}: unknown fields {[f.field_number for f in unknown]}")
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        for one in value if field.is_repeated else [value]:
            check_known(one, f"{where}.{field.name}")


class Reader:
    """What a reader knows after the packets so far."""

    def __init__(self):
        self.tables = {}
        self.defaults = None
        self.clocks = None
        self.processes, self.threads = {}, {}
        self.samples = []

    def get(self, table, iid):
        return self.tables[table][iid]

    def text(self, table, iid):
        return self.get(table, iid).str.decode()

    def packet(self, p):
        assert p.trusted_packet_sequence_id == 1
        if p.HasField("clock_snapshot"):
            self.clocks = p.clock_snapshot
            return
        assert self.clocks, "a clock comes first"
        if p.sequence_flags & pb.TracePacket.SEQ_INCREMENTAL_STATE_CLEARED:
            self.tables = {}
            self.defaults = p.trace_packet_defaults
        else:
            assert p.sequence_flags == pb.TracePacket.SEQ_NEEDS_INCREMENTAL_STATE
        for field, entries in p.interned_data.ListFields():
            table = self.tables.setdefault(field.name, {})
            for entry in entries:
                assert entry.iid and entry.iid not in table, (field.name, entry.iid)
                table[entry.iid] = entry
        for process in p.process_tree.processes:
            self.processes[process.pid] = process
        for thread in p.process_tree.threads:
            self.threads[thread.tgid, thread.tid] = thread
        if p.HasField("stack_sample"):
            self.samples.append(self.sample(p.timestamp, p.stack_sample))

    def goroutine(self, iid):
        """The name, and those of the goroutines that created it."""
        names = []
        while iid and len(names) < 1000:
            g = self.get("stack_sample_async_context_descriptors", iid)
            assert g.kind == "goroutine"
            names.append(g.name)
            iid = g.parent_iid
        return names

    def frame(self, iid):
        f = self.get("frames", iid)
        mapping = self.get("mappings", f.mapping_id)
        path = "".join("/" + self.text("mapping_paths", i) for i in mapping.path_string_ids)
        if mapping.build_id:
            self.get("build_ids", mapping.build_id)
        return (
            self.text("function_names", f.function_name_id),
            self.text("source_paths", f.source_path_iid) if f.source_path_iid else None,
            f.line_number or None,
            f.rel_pc or None,
            path,
            f.kind == pb.Frame.KIND_KERNEL,
        )

    def sample(self, time, s):
        task = self.get("stack_sample_task_contexts", s.task_context_iid)
        assert task.pid in self.processes and (task.pid, task.tid) in self.threads
        stack = self.get("callstacks", s.callstack_iid).frame_ids if s.callstack_iid else []
        return {
            "time": time,
            "weight": s.primary_weight,
            "pid": task.pid,
            "tid": task.tid,
            "goroutine": self.goroutine(task.async_id),
            "stack": [self.frame(iid) for iid in stack],
            "mode": s.execution_context_iid
            and self.get("stack_sample_execution_contexts", s.execution_context_iid).mode,
            "error": s.unwind_error,
        }


def plain(text):
    """Without characters that terminals act on, which the trace has none of."""
    hidden = ("Cc", "Cf", "Zl", "Zp")
    return text and "".join("\ufffd" if unicodedata.category(c) in hidden else c for c in text)


def plain_path(path):
    return plain("".join("/" + part for part in path.split("/") if part))


def same_sample(doc, event, s):
    thread = doc["threads"][event["thread"]]
    process = doc["processes"][thread["process"]]
    frames = [doc["frames"][i] for i in reversed(doc["stacks"][event["stack"]])]
    bad = []

    def equal(what, a, b):
        if a != b:
            bad.append(f"{what}: {a!r}, in JSON {b!r}")

    equal("time", s["time"], (doc["start_ns"] + event["time_ns"]) % 2**64)
    equal("weight", s["weight"], event["weight"])
    equal("pid", s["pid"], process["pid"])
    equal("tid", s["tid"], thread["tid"])
    equal("incomplete", bool(s["error"]), not event["complete"])
    equal("depth", len(s["stack"]), len(frames))
    if s["mode"] == pb.StackSample.MODE_USER:
        equal("user mode", bool(frames) and frames[-1]["kind"] == "kernel", False)
    for got, f in zip(s["stack"], frames):
        address = int(f["address"], 16) if f["address"] else None
        equal("frame", got[:4], (plain(f["name"]), plain(f["file"]), f["line"], address))
        equal("kernel", got[5], f["kind"] == "kernel")
        if f["kind"] not in ("kernel", "vdso") and f["module"]:
            equal("module", got[4], plain_path(f["module"]))
    if event["goroutine"] is None:
        equal("goroutine", s["goroutine"], [])
    else:
        g = doc["goroutines"][event["goroutine"]]
        # one that changes its labels has several rows
        names = {
            plain(f"goroutine {o['goid']}" + (f" {o['start']}" if o["start"] else ""))
            for o in doc["goroutines"]
            if (o["process"], o["goid"]) == (g["process"], g["goid"])
        }
        if not s["goroutine"] or s["goroutine"][0] not in names:
            bad.append(f"goroutine: {s['goroutine']!r}, in JSON {names!r}")
        if len(s["goroutine"]) > 1:
            parent = {
                str(o["parent_goid"])
                for o in doc["goroutines"]
                if (o["process"], o["goid"]) == (g["process"], g["goid"])
            }
            if s["goroutine"][1].split()[1] not in parent:
                bad.append(f"parent: {s['goroutine']!r}, in JSON {parent!r}")
    return bad


def main():
    data = open(sys.argv[1], "rb").read()
    doc = json.load(open(sys.argv[2]))
    trace = pb.Trace()
    trace.ParseFromString(data)
    check_known(trace, "trace")
    if trace.SerializeToString() != data:
        sys.exit("the trace is not what is read of it")
    reader = Reader()
    for p in trace.packet:
        reader.packet(p)
    assert reader.clocks.primary_trace_clock == reader.defaults.timestamp_clock_id == 1
    counter = reader.defaults.stack_sample_defaults.primary_descriptor
    assert (counter.unit == NANOSECONDS) == (doc["unit"] == "nanoseconds")
    assert counter.scope != counter.SCOPE_CPU, "readers drop weights without a CPU"
    events = sorted(doc["events"], key=lambda e: e["time_ns"])
    bad = [] if len(events) == len(reader.samples) else ["other samples"]
    for event, sample in zip(events, reader.samples):
        bad += same_sample(doc, event, sample)
    for line in bad[:10]:
        print(line)
    if bad:
        sys.exit(1)
    named = sum(1 for s in reader.samples if len(s["goroutine"]) > 1)
    print(f"{len(events)} samples equal, {named} with a parent")


main()
