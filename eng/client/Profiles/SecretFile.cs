using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace LocalPlus.Client.Profiles;

/// <summary>A file that holds secrets: its owner reads it and nobody else, and it is replaced in one step.</summary>
internal static class SecretFile
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others =
        UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite
        | UnixFileMode.OtherExecute;

    /// <summary>Null when there is no such file; one that others can read is refused.</summary>
    public static T? Read<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        if (!File.Exists(path))
        {
            return null;
        }

        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
        {
            throw new CliFailure(ExitCodes.Refused, $"{path} can be read by others", $"chmod 600 {path}");
        }

        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(path), type);
        }
        catch (JsonException broken)
        {
            throw new CliFailure(
                ExitCodes.Failed,
                $"{path} is not what was written there: {broken.Message}",
                $"mend it, or remove it and set the profiles again"
            );
        }
    }

    public static void Write<T>(string path, T value, JsonTypeInfo<T> type)
    {
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder) && !OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder, Owner | UnixFileMode.UserExecute);
        }

        Directory.CreateDirectory(folder);
        var fresh = $"{path}.{Environment.ProcessId}.new";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = Owner;
        }

        using (var writer = new StreamWriter(fresh, options))
        {
            writer.WriteLine(JsonSerializer.Serialize(value, type));
        }

        File.Move(fresh, path, overwrite: true);
    }
}
