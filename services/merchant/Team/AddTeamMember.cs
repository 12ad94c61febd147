using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Merchant.Team;

/// <summary>
/// POST /v1/team_members: one more person, who may from now on what the role says with the token of the provider. An
/// administrator adds the first owner (POST /ops/v1/merchants/{id}/team_members). Refusals: invalid_request, not_found,
/// team_member_exists, too_many_team_members.
/// </summary>
internal static class AddTeamMember
{
    /// <summary>People of one team at a time.</summary>
    public const int MaxPerMerchant = 200;

    private const int MaxSubject = 200;
    private const string OnePerPerson = "ix_team_members_issuer_subject_merchant_id";

    /// <param name="Subject">Who it is at the provider that is configured here (the token's sub).</param>
    internal sealed record Request(string Name, TeamRole Role, string Subject);

    public static IEndpointRouteBuilder MapAddTeamMember(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/team_members", HandleAsync)
            .RequireScope("team:write")
            .OpenTo(MerchantStatus.Draft, MerchantStatus.Review, MerchantStatus.Suspended)
            .RequireIdempotencyKey()
            .Refuses(Faults.TeamMemberExists, Faults.TooManyTeamMembers)
            .Audit("team_member.add")
            .WithName(nameof(AddTeamMember))
            .Produces<TeamMemberView>(StatusCodes.Status201Created);
        return group;
    }

    public static IEndpointRouteBuilder MapAddTeamMemberForOperators(this IEndpointRouteBuilder ops)
    {
        ops.MapPost("/merchants/{id}/team_members", HandleForOperatorsAsync)
            .RequireRole("admin")
            .RequireStepUp()
            .RequireIdempotencyKey()
            .Refuses(Faults.TeamMemberExists, Faults.TooManyTeamMembers)
            .Audit("team_member.add")
            .WithName("AddTeamMemberForOperators")
            .Produces<TeamMemberView>(StatusCodes.Status201Created);
        return ops;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests idempotent,
        OperatorIssuer issuer,
        ILogger<ServiceIdentity> log,
        CancellationToken cancel
    )
    {
        Check(request);
        var merchant = http.GetMerchant().MerchantId;
        return idempotent.ExecuteAsync(http, request, db => AddAsync(db, merchant, request, issuer, log), cancel);
    }

    private static Task<IResult> HandleForOperatorsAsync(
        HttpContext http,
        MerchantId id,
        Request request,
        IdempotentRequests idempotent,
        OperatorIssuer issuer,
        ILogger<ServiceIdentity> log,
        CancellationToken cancel
    )
    {
        Check(request);
        return idempotent.ExecuteAsync(http, request, db => AddAsync(db, id, request, issuer, log), cancel);
    }

    private static async Task<Answer> AddAsync(
        DbSession db,
        MerchantId merchant,
        Request request,
        OperatorIssuer issuer,
        ILogger log
    )
    {
        // Two at once may both see one place left: the limit protects the table, not a budget.
        var team =
            await db.QuerySingleOrDefaultAsync<long?>(Sql.CountTeam, new { MerchantId = merchant })
            ?? throw new FaultException(CommonFaults.NotFound, "There is no such merchant.");
        if (team >= MaxPerMerchant)
        {
            throw new FaultException(Faults.TooManyTeamMembers, $"A team has at most {MaxPerMerchant} members.");
        }

        var row = new TeamMemberRow(
            new TeamMemberId(Guid.CreateVersion7(db.Now)),
            merchant,
            request.Name.Trim(),
            Roles.Text(request.Role),
            issuer.Issuer,
            request.Subject,
            Version: 1,
            db.Now,
            RemovedAt: null
        );
        try
        {
            await db.ExecuteAsync(Sql.Insert, row);
        }
        catch (PostgresException taken) when (taken.ConstraintName == OnePerPerson)
        {
            throw new FaultException(Faults.TeamMemberExists, "The person is in the team already.");
        }

        log.TeamChanged(merchant, row.TeamMemberId, "added");
        return Answer.Created($"/v1/team_members/{row.TeamMemberId}", row.ToView(), row.Version);
    }

    private static void Check(Request request) =>
        new FieldChecks().Name(request.Name).Text(request.Subject, "/subject", MaxSubject).ThrowIfAny();

    private static class Sql
    {
        public const string CountTeam = """
            SELECT (SELECT count(*)
                      FROM team_members t
                     WHERE t.merchant_id = m.merchant_id
                       AND t.removed_at IS NULL)
              FROM merchants m
             WHERE m.merchant_id = @MerchantId
            """;

        public const string Insert = """
            INSERT INTO team_members (team_member_id, merchant_id, name, role, issuer, subject, version, created_at)
            VALUES (@TeamMemberId, @MerchantId, @Name, @Role, @Issuer, @Subject, @Version, @CreatedAt)
            """;
    }
}
