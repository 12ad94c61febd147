namespace LocalPlus.Tests.Integration.Ledger.History;

/// <summary>From before an operation was sent until after its answer was there.</summary>
internal readonly record struct Interval(long Start, long End);

/// <summary>A transaction made the version of an account that its entry's sequence says.</summary>
internal readonly record struct Write(string Transaction, string Account, long Version);

/// <summary>One snapshot that a client was given.</summary>
internal sealed record Read(string Name, Interval Time, IReadOnlyList<(string Account, long Version)> Versions);

/// <param name="Kind">In Adya's terms; -realtime when the order of the clients' clocks is part of it.</param>
internal sealed record Anomaly(string Kind, IReadOnlyList<string> Operations);

/// <summary>
/// Looks for what no serial order explains, as Elle does. Entries carry their account's sequence, so the order of
/// versions is known and need not be guessed: who wrote after whom (ww), who read whom (wr) and who read what another
/// replaced (rw) are edges, as is what ended before another began. A strictly serializable history has no cycle.
/// </summary>
internal sealed class HistoryChecker
{
    private readonly Graph graph = new();
    private readonly Dictionary<string, int> nodes = new(StringComparer.Ordinal);
    private readonly List<Anomaly> found = [];

    private HistoryChecker() { }

    /// <param name="writes">All entries of the books.</param>
    /// <param name="times">Of the transactions whose clients are known.</param>
    /// <param name="reads">What clients saw.</param>
    public static IReadOnlyList<Anomaly> Find(
        IReadOnlyList<Write> writes,
        IReadOnlyDictionary<string, Interval> times,
        IReadOnlyList<Read> reads
    )
    {
        var checker = new HistoryChecker();
        var writers = checker.AddWrites(writes);
        foreach (var read in reads)
        {
            checker.AddRead(read, writers);
        }

        checker.AddRealTime([
            .. times.Where(t => checker.nodes.ContainsKey(t.Key)).Select(t => (t.Key, t.Value)),
            .. reads.Select(r => (r.Name, r.Time)),
        ]);
        checker.Classify();
        return checker.found;
    }

    private int Node(string name) => nodes.TryGetValue(name, out var node) ? node : nodes[name] = graph.AddNode(name);

    private Dictionary<(string Account, long Version), string> AddWrites(IReadOnlyList<Write> writes)
    {
        var writers = new Dictionary<(string, long), string>(writes.Count);
        foreach (var write in writes)
        {
            if (!writers.TryAdd((write.Account, write.Version), write.Transaction))
            {
                found.Add(new Anomaly("lost update", [writers[(write.Account, write.Version)], write.Transaction]));
            }

            Node(write.Transaction);
        }

        foreach (var write in writes)
        {
            if (write.Version > 1 && !writers.ContainsKey((write.Account, write.Version - 1)))
            {
                found.Add(new Anomaly("missing version", [$"{write.Account}/{write.Version - 1}"]));
            }
            else if (write.Version > 1)
            {
                graph.AddEdge(
                    Node(writers[(write.Account, write.Version - 1)]),
                    Node(write.Transaction),
                    Edges.WriteWrite
                );
            }
        }

        return writers;
    }

    private void AddRead(Read read, Dictionary<(string Account, long Version), string> writers)
    {
        var node = Node(read.Name);
        foreach (var seen in read.Versions)
        {
            if (writers.TryGetValue(seen, out var writer))
            {
                graph.AddEdge(Node(writer), node, Edges.WriteRead);
            }
            else if (seen.Version > 0)
            {
                found.Add(new Anomaly("G1a", [read.Name, $"{seen.Account}/{seen.Version}"]));
            }

            if (writers.TryGetValue((seen.Account, seen.Version + 1), out var next))
            {
                graph.AddEdge(node, Node(next), Edges.ReadWrite);
            }
        }
    }

    /// <summary>
    /// One node per end, in a chain: what ended leads into it, what begins later comes from it. So n operations need 3n
    /// edges and not n squared.
    /// </summary>
    private void AddRealTime(IReadOnlyList<(string Name, Interval Time)> operations)
    {
        var events = operations
            .SelectMany(o => new[] { (At: o.Time.Start, IsEnd: false, o.Name), (At: o.Time.End, IsEnd: true, o.Name) })
            .OrderBy(e => e.At)
            .ThenBy(e => e.IsEnd);
        var last = -1;
        foreach (var (_, isEnd, name) in events)
        {
            if (isEnd)
            {
                var barrier = graph.AddNode(null);
                graph.AddEdge(Node(name), barrier, Edges.RealTime);
                if (last >= 0)
                {
                    graph.AddEdge(last, barrier, Edges.RealTime);
                }

                last = barrier;
            }
            else if (last >= 0)
            {
                graph.AddEdge(last, Node(name), Edges.RealTime);
            }
        }
    }

    /// <summary>The worst kind first; what a weaker kind of edges shows already is not told again.</summary>
    private void Classify()
    {
        (Edges Edges, string Kind)[] kinds =
        [
            (Edges.WriteWrite, "G0"),
            (Edges.WriteWrite | Edges.WriteRead, "G1c"),
            (Edges.WriteWrite | Edges.WriteRead | Edges.ReadWrite, ""),
            (Edges.All, "-realtime"),
        ];
        foreach (var (edges, kind) in kinds)
        {
            foreach (var component in graph.Cycles(edges))
            {
                var single = graph.HasSingleReadWriteCycle(component, edges) ? "G-single" : "G2";
                found.Add(
                    new Anomaly(
                        kind is "G0" or "G1c" ? kind : single + kind,
                        [.. component.Select(graph.Name).OfType<string>()]
                    )
                );
            }

            if (found.Count > 0)
            {
                return;
            }
        }
    }
}
