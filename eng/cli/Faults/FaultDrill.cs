namespace LocalPlus.Cli;

/// <summary>
/// A fault that can be brought about on a running stack by its own name: what breaks, what operators read then, and
/// what ends it. Its run brings it about on the real path, checks that what operators read names cause and cure, ends
/// it by their own verbs or by nothing but time, and proves the end.
/// </summary>
/// <param name="Name">As `demo --break` takes it.</param>
/// <param name="Breaks">What is broken, in a sentence.</param>
/// <param name="Reads">Where operators read of it, and what.</param>
/// <param name="Cure">What they do, or that it heals by itself.</param>
internal sealed record FaultDrill(
    string Name,
    string Breaks,
    string Reads,
    string Cure,
    Func<FaultScene, Task> RunAsync
);

/// <summary>All of them, in the order in which they run: the quick ones of each part first.</summary>
internal static class FaultDrills
{
    public static readonly IReadOnlyList<FaultDrill> All =
    [
        .. KillDrills.All,
        .. TillDrills.All,
        .. RunDrills.All,
        .. AbsenceDrills.All,
        .. EventDrills.All,
        .. WebhookDrills.All,
        .. MerchantDrills.All,
        .. MailDrills.All,
        .. WorkDrills.All,
        .. BookDrills.All,
    ];

    public static string[] Names => [.. All.Select(drill => drill.Name)];

    public static FaultDrill? Find(string name) => All.FirstOrDefault(drill => drill.Name == name);
}
