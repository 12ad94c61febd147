using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Proof;

/// <summary>Signs the log's checkpoints under its name.</summary>
internal sealed class LogKey(CheckpointKeys keys, IConfiguration configuration)
{
    private const string DefaultOrigin = "localplus.local/ledger";

    /// <summary>The log's name, first line of every checkpoint: never two logs of one name.</summary>
    public string Origin { get; } = configuration["LP_LOG_ORIGIN"] ?? DefaultOrigin;

    /// <summary>The checkpoint of a tree, signed.</summary>
    public string Sign(long size, byte[] root) => keys.Sign(Origin, size, root);

    /// <summary>The public key, for whoever verifies.</summary>
    public CheckpointKeyView View() => keys.View("log_key", Origin);
}
