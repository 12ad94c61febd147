using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace LocalPlus.Sidecar.Invoke;

/// <summary>
/// How sidecars of one machine and user find each other: a folder with one small file per sidecar, named after
/// namespace, app id, process and port. Sidecars whose Configuration names another name table live in another folder. A
/// file whose process is gone is ignored and removed.
/// </summary>
internal sealed class HostRegistry
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const int CacheMilliseconds = 500;
    private readonly ConcurrentDictionary<(string Namespace, string AppId), (long Until, string? Address)> cache =
        new();
    private readonly string folder;

    public HostRegistry(string nameTable)
    {
        var table =
            nameTable.Length == 0
                ? "default"
                : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(nameTable)))[..16];
        folder = Path.Combine("/tmp", $"dapr-standin-{Environment.UserName}", "hosts", table);
    }

    /// <summary>Makes a sidecar known; the result takes it back.</summary>
    public IDisposable Add(string space, string appId, int port)
    {
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder, OwnerOnly);
        }
        var file = Path.Combine(
            folder,
            string.Create(CultureInfo.InvariantCulture, $"{Name(space, appId)}~{Environment.ProcessId}~{port}")
        );
        File.WriteAllText(file, StartOf(Environment.ProcessId) ?? "");
        return new Entry(() => File.Delete(file));
    }

    /// <summary>The address of a sidecar of that application, or null.</summary>
    public string? Find(string space, string appId)
    {
        var key = (space, appId);
        if (cache.TryGetValue(key, out var known) && known.Until > Environment.TickCount64)
        {
            return known.Address;
        }
        var found = Live(space, appId).ToList();
        var address = found.Count == 0 ? null : found[Random.Shared.Next(found.Count)];
        cache[key] = (Environment.TickCount64 + (address is null ? 0 : CacheMilliseconds), address);
        return address;
    }

    /// <summary>A call to the address failed: look again next time.</summary>
    public void Forget(string space, string appId) => cache.TryRemove((space, appId), out _);

    private IEnumerable<string> Live(string space, string appId)
    {
        if (!Directory.Exists(folder))
        {
            yield break;
        }
        foreach (var file in Directory.EnumerateFiles(folder, Name(space, appId) + "~*"))
        {
            if (
                Path.GetFileName(file).Split('~') is [_, _, var pid, var port]
                && int.TryParse(pid, CultureInfo.InvariantCulture, out var process)
            )
            {
                if (IsAlive(file, process))
                {
                    yield return $"127.0.0.1:{port}";
                }
                else
                {
                    File.Delete(file);
                }
            }
        }
    }

    /// <summary>The process exists and is the one that wrote the file, not a later one with its number.</summary>
    private static bool IsAlive(string file, int process)
    {
        try
        {
            return StartOf(process) is { } start
                && File.ReadAllText(file) is var text
                && (text.Length == 0 || text == start);
        }
        catch (IOException)
        {
            // Removed meanwhile.
            return false;
        }
    }

    /// <summary>The process's start time in kernel ticks; null when there is no such process.</summary>
    private static string? StartOf(int process)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
            // The name in parentheses may hold blanks; the start time is the 20th field behind it.
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[19];
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Name(string space, string appId) =>
        $"{Uri.EscapeDataString(space)}~{Uri.EscapeDataString(appId)}";

    private sealed class Entry(Action remove) : IDisposable
    {
        public void Dispose() => remove();
    }
}
