namespace LocalPlus.Tests.Integration.Ledger.History;

[Flags]
internal enum Edges
{
    None = 0,
    WriteWrite = 1,
    WriteRead = 2,
    ReadWrite = 4,
    RealTime = 8,
    All = WriteWrite | WriteRead | ReadWrite | RealTime,
}

/// <summary>Nodes and kinds of edges, and the cycles that some kinds of edges make.</summary>
internal sealed class Graph
{
    private readonly List<string?> names = [];
    private readonly List<List<(int To, Edges Kind)>> edges = [];

    public int AddNode(string? name)
    {
        names.Add(name);
        edges.Add([]);
        return names.Count - 1;
    }

    public string? Name(int node) => names[node];

    public void AddEdge(int from, int to, Edges kind)
    {
        if (from != to)
        {
            edges[from].Add((to, kind));
        }
    }

    /// <summary>The strongly connected components of more than one node.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Cycles(Edges kinds) => new Search(this, kinds).Run();

    /// <summary>Whether one read-write edge is enough to close a cycle within the component.</summary>
    public bool HasSingleReadWriteCycle(IReadOnlyList<int> component, Edges kinds)
    {
        var members = component.ToHashSet();
        return component.Any(from =>
            edges[from]
                .Exists(edge =>
                    edge.Kind == Edges.ReadWrite
                    && members.Contains(edge.To)
                    && Reaches(edge.To, from, members, kinds & ~Edges.ReadWrite)
                )
        );
    }

    private bool Reaches(int from, int to, HashSet<int> members, Edges kinds)
    {
        var (seen, queue) = (new HashSet<int> { from }, new Queue<int>([from]));
        while (queue.TryDequeue(out var node))
        {
            if (node == to)
            {
                return true;
            }

            foreach (
                var edge in edges[node].Where(e => (e.Kind & kinds) != 0 && members.Contains(e.To) && seen.Add(e.To))
            )
            {
                queue.Enqueue(edge.To);
            }
        }

        return false;
    }

    /// <summary>Tarjan's, without recursion: histories are longer than stacks are deep.</summary>
    private sealed class Search(Graph graph, Edges kinds)
    {
        private readonly int[] index = new int[graph.names.Count];
        private readonly int[] low = new int[graph.names.Count];
        private readonly bool[] onStack = new bool[graph.names.Count];
        private readonly Stack<int> stack = new();
        private readonly Stack<(int Node, int Edge)> work = new();
        private readonly List<IReadOnlyList<int>> found = [];
        private int next = 1;

        public List<IReadOnlyList<int>> Run()
        {
            for (var root = 0; root < index.Length; root++)
            {
                if (index[root] == 0)
                {
                    work.Push((root, 0));
                }

                while (work.TryPop(out var at))
                {
                    Visit(at.Node, at.Edge);
                }
            }

            return found;
        }

        private void Visit(int node, int edge)
        {
            if (edge == 0)
            {
                index[node] = low[node] = next++;
                stack.Push(node);
                onStack[node] = true;
            }

            if (Descend(node, edge))
            {
                return;
            }

            if (low[node] == index[node] && Pop(node) is { Count: > 1 } component)
            {
                found.Add(component);
            }

            if (work.TryPeek(out var parent))
            {
                low[parent.Node] = Math.Min(low[parent.Node], low[node]);
            }
        }

        private bool Descend(int node, int edge)
        {
            for (; edge < graph.edges[node].Count; edge++)
            {
                var (to, kind) = graph.edges[node][edge];
                if ((kind & kinds) == 0)
                {
                    continue;
                }

                if (index[to] == 0)
                {
                    work.Push((node, edge + 1));
                    work.Push((to, 0));
                    return true;
                }

                if (onStack[to])
                {
                    low[node] = Math.Min(low[node], index[to]);
                }
            }

            return false;
        }

        private List<int> Pop(int root)
        {
            var component = new List<int>();
            int node;
            do
            {
                node = stack.Pop();
                onStack[node] = false;
                component.Add(node);
            } while (node != root);

            return component;
        }
    }
}
