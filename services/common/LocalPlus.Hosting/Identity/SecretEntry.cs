using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace LocalPlus.Hosting;

/// <summary>
/// The service's entry of the secret store as configuration keys "Secrets:&lt;name&gt;". It may be read again at any
/// time: what changed is in configuration then, and whoever holds a key or a password takes the new one by its reload
/// token.
/// </summary>
public sealed class SecretEntry : ConfigurationProvider, IConfigurationSource, IDisposable
{
    private readonly Func<CancellationToken, Task<IReadOnlyDictionary<string, string>>>? read;
    private readonly SemaphoreSlim turn = new(1, 1);

    private SecretEntry(Func<CancellationToken, Task<IReadOnlyDictionary<string, string>>>? read) => this.read = read;

    /// <summary>Of a process whose secrets were put into configuration: there is nothing to read again.</summary>
    public static SecretEntry Given { get; } = new(null);

    /// <summary>Reads the entry once and keeps how to.</summary>
    internal static async Task<SecretEntry> ReadAsync(
        Func<CancellationToken, Task<IReadOnlyDictionary<string, string>>> read,
        CancellationToken cancel
    )
    {
        var entry = new SecretEntry(read);
        await entry.RefreshAsync(cancel);
        return entry;
    }

    /// <summary>Asks the store what the entry is now; true when that is something else than before.</summary>
    public async Task<bool> RefreshAsync(CancellationToken cancel)
    {
        if (read is null)
        {
            return false;
        }

        await turn.WaitAsync(cancel);
        try
        {
            var now = (await read(cancel)).ToDictionary(
                secret => $"Secrets:{secret.Key}",
                secret => (string?)secret.Value,
                StringComparer.OrdinalIgnoreCase
            );
            if (
                now.Count == Data.Count
                && now.All(secret => Data.TryGetValue(secret.Key, out var was) && was == secret.Value)
            )
            {
                return false;
            }

            Data = now;
            OnReload();
            return true;
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>
    /// A store that keeps one text under a name (Google's, Azure's) answers with that name alone: the text is then a
    /// JSON object of what others keep as a map.
    /// </summary>
    internal static IReadOnlyDictionary<string, string> Unfold(string entry, IReadOnlyDictionary<string, string> answer)
    {
        if (answer.Count != 1 || !answer.TryGetValue(entry, out var text))
        {
            return answer;
        }

        try
        {
            return JsonSerializer.Deserialize<Dictionary<string, string>>(text) ?? answer;
        }
        catch (JsonException)
        {
            throw new InvalidOperationException($"The secret {entry} is no JSON object of texts.");
        }
    }

    public void Dispose() => turn.Dispose();

    IConfigurationProvider IConfigurationSource.Build(IConfigurationBuilder builder) => this;
}
