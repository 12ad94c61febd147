namespace LocalPlus.Servers;

/// <summary>A disk of a given size at a folder, which can be filled. Only root may mount one.</summary>
internal static class LimitedDisk
{
    private const int BlockBytes = 8192;

    public static async Task MountAsync(string folder, long bytes, CancellationToken cancel)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            throw new InvalidOperationException(
                "A disk that may be filled needs the rights to mount one: run it as root."
            );
        }

        await MustAsync(["mount", "-t", "tmpfs", "-o", $"size={bytes}", "tmpfs", folder], cancel);
        await MustAsync(["chown", ServerAccount.Unprivileged, folder], cancel);
    }

    /// <summary>Unmounts what is mounted at a folder or below it.</summary>
    public static async Task UnmountAsync(string folder, CancellationToken cancel)
    {
        var mounts = File.ReadLines("/proc/self/mounts")
            .Select(line => line.Split(' ')[1])
            .Where(at => at == folder || at.StartsWith(folder + "/", StringComparison.Ordinal))
            .ToArray();
        foreach (var mount in mounts)
        {
            await MustAsync(["umount", "-l", mount], cancel);
        }
    }

    /// <summary>Writes a file until nothing more fits.</summary>
    public static async Task FillAsync(string file, CancellationToken cancel)
    {
        await using var filler = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (var block = new byte[BlockBytes]; ; )
            {
                await filler.WriteAsync(block, cancel);
            }
        }
        catch (IOException)
        {
            // Full: what it was for.
        }
    }

    private static async Task MustAsync(string[] command, CancellationToken cancel)
    {
        var result = await ServerAccount.TryRunAsStarterAsync(command, cancel);
        if (result.ExitCode != 0)
        {
            throw new InvalidOperationException($"{string.Join(' ', command)}: {result.Stderr}");
        }
    }
}
