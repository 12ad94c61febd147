using System.Reflection;
using System.Security.Cryptography;
using LocalPlus.Hosting;

namespace LocalPlus.Console.Layout;

/// <summary>
/// The style sheet and the scripts: part of the assembly, named by their content, kept by browsers for ever.
/// </summary>
internal static class StaticFiles
{
    private static readonly Dictionary<string, (string Type, byte[] Body)> Files = new[]
    {
        ("console.css", "text/css; charset=utf-8"),
        ("console.js", "text/javascript; charset=utf-8"),
        ("till.js", "text/javascript; charset=utf-8"),
    }
        .Select(file => (Name: file.Item1, Type: file.Item2, Body: Read(file.Item1)))
        .ToDictionary(file => Named(file.Name, file.Body), file => (file.Type, file.Body), StringComparer.Ordinal);

    public static string Style { get; } = Path("-console.css");

    public static string Script { get; } = Path("-console.js");

    public static string TillScript { get; } = Path("-till.js");

    /// <summary>The till's service worker: under one name, for a browser compares it with the one it has.</summary>
    public static byte[] Worker { get; } = Read("worker.js");

    public static void MapFiles(this WebApplication app) =>
        app.MapGet(
                $"{ConsoleService.Root}/assets/{{name}}",
                (string name, HttpContext http) =>
                {
                    if (!Files.TryGetValue(name, out var file))
                    {
                        return Results.NotFound();
                    }

                    http.Response.Headers.CacheControl = "public, max-age=31536000, immutable";
                    return Results.Bytes(file.Body, file.Type);
                }
            )
            .RequirePort(Port.Public)
            .AllowAnonymous()
            .ExcludeFromDescription();

    public static byte[] Read(string name)
    {
        using var stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream($"assets/{name}")
            ?? throw new InvalidOperationException($"The assembly lacks {name}.");
        using var buffer = new MemoryStream();
        stream.CopyTo(buffer);
        return buffer.ToArray();
    }

    private static string Path(string ending) =>
        $"{ConsoleService.Root}/assets/{Files.Keys.Single(name => name.EndsWith(ending, StringComparison.Ordinal))}";

    private static string Named(string name, byte[] body) =>
        $"{Convert.ToHexStringLower(SHA256.HashData(body))[..12]}-{name}";
}
