using System.Text.Json;
using LocalPlus.Sidecar.Resources;
using LocalPlus.Sidecar.Runtime;

namespace LocalPlus.Sidecar.Bindings;

/// <summary>
/// bindings.localstorage: operation create writes a file below rootPath, get reads and delete removes it. Without a
/// fileName a new file is named by a UUID.
/// </summary>
internal sealed class LocalStorageBinding(HostedApp app, Component definition) : IOutputBinding
{
    private const string FileName = "fileName";
    private string root = "";

    public Component Definition => definition;

    public IReadOnlyList<string> Capabilities => [];

    public IReadOnlyList<string> Operations => ["create", "delete", "get"];

    public Task InitAsync(CancellationToken cancel)
    {
        root = Path.GetFullPath(definition.Require("rootPath"), app.Options.WorkingDirectory);
        Directory.CreateDirectory(root);
        return Task.CompletedTask;
    }

    public async Task<BindingAnswer> InvokeAsync(
        string operation,
        ReadOnlyMemory<byte> data,
        IReadOnlyDictionary<string, string> metadata,
        CancellationToken cancel
    )
    {
        var name = metadata.GetValueOrDefault(FileName);
        if (string.IsNullOrEmpty(name) && operation != "create")
        {
            throw new BindingException($"local storage binding error: {FileName} is missing in metadata");
        }

        var path = PathOf(string.IsNullOrEmpty(name) ? Guid.CreateVersion7().ToString() : name);
        try
        {
            return operation switch
            {
                "create" => await CreateAsync(path, data, cancel),
                "get" => new BindingAnswer(await File.ReadAllBytesAsync(path, cancel), null),
                _ => Delete(path),
            };
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new BindingException($"local storage binding error: {problem.Message}", problem);
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<BindingAnswer> CreateAsync(
        string path,
        ReadOnlyMemory<byte> data,
        CancellationToken cancel
    )
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        await File.WriteAllBytesAsync(path, data, cancel);
        return new BindingAnswer(JsonSerializer.SerializeToUtf8Bytes(new { fileName = path }), null);
    }

    private static BindingAnswer Delete(string path)
    {
        File.Delete(path);
        return new BindingAnswer(null, null);
    }

    /// <summary>A name with folders in it stays below the root.</summary>
    private string PathOf(string name)
    {
        var path = Path.GetFullPath(Path.Join(root, name));
        return path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? path
            : throw new BindingException($"local storage binding error: {name} is outside of the root");
    }
}
