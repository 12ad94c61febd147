using System.Text.Json;

namespace LocalPlus.Cli;

/// <summary>Where this checkout lies and where it keeps its run state. Nothing is ever written anywhere else.</summary>
internal sealed record Checkout(string Root, string State)
{
    public static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        PropertyNameCaseInsensitive = true,
        WriteIndented = true,
    };

    /// <summary>The services in start order; the place in the list is the last digit of their ports.</summary>
    public static readonly string[] Apps =
    [
        "ledger",
        "wallet",
        "merchant",
        "giftcard",
        "notification",
        "analytics",
        "console",
    ];

    public string Logs => Path.Combine(State, "logs");

    public string Secrets => Path.Combine(State, "secrets.json");

    public string Jwks => Path.Combine(State, "jwks.json");

    /// <summary>The public key of the ledger's log, for verifiers.</summary>
    public string LogKey => Path.Combine(State, "log-key.pem");

    /// <summary>The public key of the audit, for verifiers.</summary>
    public string AuditKey => Path.Combine(State, "audit-key.pem");

    /// <summary>All checkpoints of the ledger's log, outside its database.</summary>
    public string Checkpoints => Path.Combine(State, "checkpoints", "ledger.txt");

    public string Mail => Path.Combine(State, "mail");

    public string PostgresData => Path.Combine(State, "postgres");

    public string DaprFolder => Path.Combine(State, "dapr");

    public string RunFile => Path.Combine(DaprFolder, "dapr.yaml");

    public string GatewayFolder => Path.Combine(State, "gateway");

    /// <summary>LP_ROOT comes from the bash entry, LP_STATE_DIR from tests that run a second stack.</summary>
    public static Checkout Find()
    {
        var root = Environment.GetEnvironmentVariable("LP_ROOT") is { Length: > 0 } given
            ? given
            : Search(AppContext.BaseDirectory);
        var state = Environment.GetEnvironmentVariable("LP_STATE_DIR") is { Length: > 0 } elsewhere
            ? Path.GetFullPath(elsewhere)
            : Path.Combine(root, ".localplus");
        return new Checkout(root, state);
    }

    public string Assembly(string project, string configuration, string? file = null) =>
        Path.Combine(Root, "artifacts", "bin", project, configuration.ToLowerInvariant(), $"{file ?? project}.dll");

    public void MakeState()
    {
        Directory.CreateDirectory(State, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Logs);
    }

    /// <summary>Reads a state file; absent or torn counts as absent.</summary>
    public T? Read<T>(string name)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllText(Path.Combine(State, name)), Json);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Replaces a state file in one step, readable by its owner only.</summary>
    public void Write<T>(string name, T value) => WriteText(name, JsonSerializer.Serialize(value, Json) + "\n");

    public void WriteText(string name, string text)
    {
        var path = Path.Combine(State, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var fresh = $"{path}.{Environment.ProcessId}.new";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        using (var writer = new StreamWriter(fresh, options))
        {
            writer.Write(text);
        }

        File.Move(fresh, path, overwrite: true);
    }

    private static string Search(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "LocalPlus.sln")))
            {
                return folder.FullName;
            }
        }

        throw new CliFailure(
            ExitCodes.NotFound,
            "this is not inside a LocalPlus checkout",
            "run ./localplus from the checkout"
        );
    }
}
