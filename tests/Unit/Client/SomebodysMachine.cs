using System.CommandLine;
using LocalPlus.Client;

namespace LocalPlus.Tests.Unit.Client;

/// <summary>The client with folders of its own for profiles and for a checkout's state.</summary>
public sealed class SomebodysMachine : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("localplus-client-").FullName;
    private readonly Dictionary<string, string?> _before = [];

    public SomebodysMachine()
    {
        Set("XDG_CONFIG_HOME", Path.Combine(_folder, "config"));
        Set("LP_STATE_DIR", State);
        Set("LOCALPLUS_PROFILE", null);
        Set("LOCALPLUS_API_KEY", null);
        Set("LOCALPLUS_TOKEN", null);
    }

    public string State => Path.Combine(_folder, "state");

    public string ProfileFile => Path.Combine(_folder, "config", "localplus", "profiles.json");

    /// <summary>What it printed on standard output; its exit code has to be 0.</summary>
    public async Task<string> RunAsync(params string[] words)
    {
        var (exitCode, printed) = await EndAsync(words);
        Assert.Equal(ExitCodes.Ok, exitCode);
        return printed;
    }

    public Task<(int ExitCode, string Printed)> EndAsync(params string[] words) =>
        EndAsync(CancellationToken.None, words);

    public async Task<(int ExitCode, string Printed)> EndAsync(CancellationToken cancel, params string[] words)
    {
        var root = new RootCommand();
        ClientCommands.MountOn(root);
        var exitCode = 0;
        var printed = await StandardOutput.OfAsync(async () => exitCode = await Shell.RunAsync(root, words, cancel));
        return (exitCode, printed);
    }

    public void Dispose()
    {
        foreach (var (name, value) in _before)
        {
            Environment.SetEnvironmentVariable(name, value);
        }

        Directory.Delete(_folder, recursive: true);
    }

    private void Set(string name, string? value)
    {
        _before[name] = Environment.GetEnvironmentVariable(name);
        Environment.SetEnvironmentVariable(name, value);
    }
}
