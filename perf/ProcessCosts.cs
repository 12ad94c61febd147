using System.Globalization;

namespace LocalPlus.Perf;

/// <summary>
/// The processor time of the stack's processes, from /proc: where a request's milliseconds go. A process counts with
/// its children, the ended ones too, so a database's back ends are the database's. The generator is this process.
/// </summary>
internal sealed class ProcessCosts
{
    private const double TicksPerSecond = 100;
    private readonly Dictionary<string, double> _before;

    private ProcessCosts(Dictionary<string, double> before) => _before = before;

    /// <summary>From now on.</summary>
    public static ProcessCosts Start() => new(Read());

    /// <summary>
    /// Milliseconds of processor time per unit of work since the start, by process, the dearest first.
    /// </summary>
    public IEnumerable<(string Process, double Milliseconds)> Per(long units) =>
        Read()
            .Select(now => (now.Key, (now.Value - _before.GetValueOrDefault(now.Key)) * 1000 / Math.Max(1, units)))
            .OrderByDescending(cost => cost.Item2);

    private static Dictionary<string, double> Read()
    {
        var roots = Api.Setting("LP_PROCESSES")
            .Split(',')
            .Select(pair => pair.Split('='))
            .Append(["generator", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)])
            .ToDictionary(pair => int.Parse(pair[1], CultureInfo.InvariantCulture), pair => pair[0]);
        var all = Directory
            .EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), out var pid) ? Stat(pid) : null)
            .OfType<Process>()
            .ToDictionary(process => process.Pid);
        var costs = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var process in all.Values)
        {
            for (var at = process; at is not null; at = all.GetValueOrDefault(at.Parent))
            {
                if (roots.TryGetValue(at.Pid, out var name))
                {
                    costs[name] = costs.GetValueOrDefault(name) + process.Seconds;
                    break;
                }
            }
        }

        return costs;
    }

    private static Process? Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            double Field(int number) => double.Parse(fields[number - 3], CultureInfo.InvariantCulture);
            const int parent = 4,
                user = 14,
                system = 15,
                childrenUser = 16,
                childrenSystem = 17;
            return new Process(
                pid,
                (int)Field(parent),
                (Field(user) + Field(system) + Field(childrenUser) + Field(childrenSystem)) / TicksPerSecond
            );
        }
        catch (IOException)
        {
            // It ended between the listing and the reading.
            return null;
        }
    }

    private sealed record Process(int Pid, int Parent, double Seconds);
}
