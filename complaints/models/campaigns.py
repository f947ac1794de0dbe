from __future__ import annotations

from django.db import models
from django.db.models import Q

from complaints.models.complaints import Complaint


class Campaign(models.Model):
    """One spam run, seen by several reporters and often at several customers. Found in the background.

    The counts are those of its complaints at `counted_at`. Of two campaigns that turned out to be one, the older
    lives on and the other is emptied and points to it.
    """

    subject = models.CharField(max_length=400, blank=True, help_text="Of its first complaint, for people")
    first_seen_at = models.DateTimeField(help_text="Time of the oldest abuse complained about")
    last_seen_at = models.DateTimeField()
    complaint_count = models.PositiveIntegerField(default=0)
    case_count = models.PositiveIntegerField(default=0)
    customer_count = models.PositiveIntegerField(default=0)
    reporter_count = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)
    merged_into = models.ForeignKey("self", null=True, on_delete=models.PROTECT, db_index=False)

    class Meta:
        indexes = [
            # What the list shows: more than one case, the youngest first.
            models.Index(
                fields=["-last_seen_at", "-id"], name="campaign_wide", condition=Q(case_count__gt=1, merged_into=None)
            ),
        ]

    def __str__(self) -> str:
        return f"campaign {self.pk}"


class CampaignMember(models.Model):
    """A complaint that belongs to a campaign, and what it was known by."""

    complaint = models.OneToOneField(Complaint, primary_key=True, on_delete=models.CASCADE, related_name="membership")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="members", db_index=False)
    by = models.CharField(max_length=10, help_text="The mark that it shares: id, text, like, urls, subject; first")

    class Meta:
        indexes = [models.Index(fields=["campaign", "complaint"], name="campaign_member")]

    def __str__(self) -> str:
        return f"complaint {self.complaint_id} of campaign {self.campaign_id}"


class CampaignMark(models.Model):
    """A fingerprint by which further complaints of a campaign are known. Those not seen for weeks are forgotten."""

    mark = models.CharField(max_length=48, unique=True, help_text="Kind and digest, such as text:9f86d081884c7d65")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="marks", db_index=True)
    signature = models.CharField(max_length=64, blank=True, help_text="Of a text, to tell near from nearly (minhash)")
    last_seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.mark
